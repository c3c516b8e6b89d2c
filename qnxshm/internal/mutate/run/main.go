//go:build linux

// Run tries the mutants of the target files, and writes MUTANTS.md and results.txt;
// see package mutate.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/mutate"
)

var (
	only     = flag.String("only", "", "try the mutants whose id matches, and those that results.txt lacks")
	survived = flag.Bool("survivors", false, "of those whose id matches, try the ones that have survived")
	complete = flag.Bool("complete", false, "try those with the whole suite, one of each function together")
)

func main() {
	flag.Parse()
	log.SetFlags(0)
	if *complete && !*survived {
		log.Fatal("-complete is for -survivors")
	}
	selected, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, selected); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, selected *regexp.Regexp) error {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-qnx/shm")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("%v: %w", list, err)
	}
	root := string(bytes.TrimSpace(out))
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ms, err := mutate.Read(root, dir)
	if err != nil {
		return err
	}
	home := filepath.Join(root, "qnxshm/internal/mutate")
	results := filepath.Join(home, "results.txt")
	old, err := os.ReadFile(results)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	before := mutate.ReadResults(old)
	became := make(map[string]string)
	var mutants []*mutate.Mutant
	for _, m := range ms.All {
		by := before[m.ID]
		again := selected.MatchString(m.ID) && (!*survived || mutate.Survives(by))
		if mutate.Current(by) && !again {
			became[m.ID] = by
		} else {
			mutants = append(mutants, m)
		}
	}
	tryErr := try(ctx, ms, mutants, before, became)
	if tryErr != nil && ctx.Err() == nil {
		return tryErr
	}
	faults := ms.Faults(became) // if interrupted, those that were not tried among them
	for _, f := range faults {
		fmt.Println(f)
	}
	if err := os.WriteFile(results, ms.Results(became), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(home, "MUTANTS.md"), ms.Report(became), 0o644); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	return nil
}

// try tries mutants beside each other: they wait more than they compute.
func try(ctx context.Context, ms *mutate.Mutants, mutants []*mutate.Mutant, before, became map[string]string) error {
	if len(mutants) == 0 {
		return nil
	}
	suites, err := ms.Build(mutants)
	if err != nil {
		return err
	}
	if err := suites.Check(ctx); err != nil {
		return err
	}
	groups := make([][]*mutate.Mutant, len(mutants))
	for i, m := range mutants {
		groups[i] = []*mutate.Mutant{m}
	}
	if *complete {
		groups = mutate.Together(mutants)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan []*mutate.Mutant)
	for range 2 * runtime.NumCPU() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for group := range work {
				by, tryErr := tried(ctx, suites, group, before)
				mu.Lock()
				if tryErr != nil {
					err = tryErr
				}
				for i, m := range group {
					if became[m.ID] = before[m.ID]; tryErr == nil { // else what is known of it stays
						became[m.ID] = by[i]
					}
					fmt.Printf("%4d/%d %s:%d: %s: %s\n", len(became), len(ms.All), m.File, m.Line, m.ID, became[m.ID])
				}
				mu.Unlock()
			}
		}()
	}
	for _, group := range groups { // when interrupted, tried says so at once
		work <- group
	}
	close(work)
	wg.Wait()
	return err
}

// tried tries a mutant, or several of which each has survived.
func tried(ctx context.Context, suites *mutate.Suites, group []*mutate.Mutant, before map[string]string) ([]string, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if *complete {
		return suites.TryTogether(ctx, group)
	}
	by, err := suites.Try(ctx, group[0], before[group[0].ID])
	return []string{by}, err
}
