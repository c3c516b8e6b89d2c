//go:build linux

package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A relative is a process that a node has started, and that can be told things
// through it.
type relative struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start starts a process with a given number, which only the first process of a
// pid namespace should choose.
func (n *node) start(a arguments) ([]any, error) { // name pid
	const attempts = 3 // others may get the number, a thread of this process for good
	for range attempts {
		r := &relative{cmd: exec.Command("/proc/self/exe")}
		r.cmd.Env, r.cmd.Stderr = os.Environ(), os.Stderr
		in, err := r.cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := r.cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		r.in, r.out = in, bufio.NewScanner(out)
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(a.int(1)-1)), 0); err != nil {
			return nil, err
		}
		if err := r.cmd.Start(); err != nil {
			return nil, err
		}
		if r.cmd.Process.Pid == a.int(1) {
			r.out.Scan() // ready
			n.family[a[0]] = r
			return nil, nil
		}
		r.end()
	}
	return nil, syscall.EAGAIN
}

func (r *relative) end() {
	r.cmd.Process.Kill()
	r.in.Close()
	r.cmd.Wait()
}

func (n *node) end(a arguments) ([]any, error) { // name
	n.family[a[0]].end()
	return nil, nil
}

// tell passes a command on, and its result back.
func (n *node) tell(a arguments) ([]any, error) { // name command
	r := n.family[a[0]]
	for _, w := range a[1:] {
		fmt.Fprint(r.in, w, " ")
	}
	fmt.Fprintln(r.in)
	if !r.out.Scan() {
		return nil, io.ErrUnexpectedEOF
	}
	return resultOf(r.out.Text())
}

// resultOf turns the line that answers a command into what the command gave.
func resultOf(line string) (out []any, err error) {
	r := parseResult(line)
	if r.errno != 0 {
		return nil, qnxerr.Cause{Errno: r.errno, Text: r.text}
	}
	for _, w := range r.words {
		out = append(out, w)
	}
	return out, nil
}
