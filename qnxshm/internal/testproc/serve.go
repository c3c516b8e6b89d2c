//go:build linux

package testproc

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"sync"
	"testing"
)

// Procedures are functions by their names.
type Procedures map[string]any

// Roles give the procedures of each role.
type Roles map[string]func() Procedures

// roleEnv, when set, makes the test binary a second process.
const roleEnv = "QNXSHM_TEST_ROLE"

// answers go to what is the standard output of a second process.
var answers = json.NewEncoder(os.Stdout)

// serve is the whole life of a second process.
func serve(role func() Procedures) {
	s := new(server)
	os.Stdout = os.Stderr // whatever prints must not garble the answers
	s.procedures = role()
	s.reply(reply{})
	for in := json.NewDecoder(os.Stdin); ; {
		var r request
		if err := in.Decode(&r); err != nil {
			if err != io.EOF {
				fmt.Fprintln(os.Stderr, err)
			}
			break
		}
		s.seeEarlier()
		go s.call(r)
		runtime.Gosched() // before this thread waits for more, and keeps its place
	}
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// CannotServe ends a second process that cannot be what it was started for: the
// test that has started it is skipped.
func CannotServe(why any) {
	answers.Encode(reply{Skip: fmt.Sprint(why)})
	os.Exit(0)
}

type server struct {
	procedures Procedures

	mu       sync.Mutex
	cleanups []func()
}

func (s *server) reply(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answers.Encode(r)
}

// seeEarlier orders what comes after every call whose answer may have caused it.
func (s *server) seeEarlier() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

func (s *server) cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

func (s *server) call(r request) {
	answer := reply{ID: r.ID, Failed: "it has ended the goroutine of a procedure"}
	t := &carrier{name: r.Name, atEnd: s.cleanup}
	defer func() {
		if t.skipped || t.failed {
			answer.Failed, answer.Skip = "", ""
			if t.failed {
				answer.Failed = t.text()
			} else {
				answer.Skip = t.text()
			}
		}
		s.reply(answer)
	}()
	values, err := s.run(t, r)
	answer.Values, answer.Failed = values, ""
	if err != nil {
		answer.Err = newError(err)
	}
}

var (
	typeOfTB    = reflect.TypeFor[testing.TB]()
	typeOfError = reflect.TypeFor[error]()
)

func (s *server) run(t *carrier, r request) (values []json.RawMessage, err error) {
	procedure := s.procedures[r.Name]
	if procedure == nil {
		t.Fatal("this role has no such procedure")
	}
	f := reflect.ValueOf(procedure)
	results := f.Call(argumentsOf(t, f.Type(), r.Args))
	if n := len(results); n > 0 && f.Type().Out(n-1) == typeOfError {
		err, _ = results[n-1].Interface().(error)
		results = results[:n-1]
	}
	for _, result := range results {
		raw, err := json.Marshal(result.Interface())
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, raw)
	}
	return values, err
}

// argumentsOf turns what has travelled into what the function takes.
func argumentsOf(t *carrier, f reflect.Type, raw []json.RawMessage) (args []reflect.Value) {
	if f.NumIn() > 0 && f.In(0) == typeOfTB {
		args = append(args, reflect.ValueOf(t))
	}
	given, fixed := len(args)+len(raw), f.NumIn()
	if f.IsVariadic() {
		fixed--
	}
	if given < fixed || given > fixed && !f.IsVariadic() {
		t.Fatalf("%d arguments for %v", len(raw), f)
	}
	for _, r := range raw {
		var of reflect.Type
		if len(args) < fixed {
			of = f.In(len(args))
		} else {
			of = f.In(fixed).Elem()
		}
		arg := reflect.New(of)
		if err := json.Unmarshal(r, arg.Interface()); err != nil {
			t.Fatalf("argument %s of %v: %v", r, f, err)
		}
		args = append(args, arg.Elem())
	}
	return args
}
