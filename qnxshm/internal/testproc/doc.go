//go:build linux

// Package testproc is for tests only: it is the one way of this module's tests to
// start a second process, and what such tests need besides. The process is the
// test binary once more, in a role; the test calls procedures of the role by name,
// with arguments and results that JSON can carry.
//
//	func TestMain(m *testing.M) {
//		testproc.Main(m, testproc.Roles{"maker": maker})
//	}
//
//	// maker is called in the second process, once.
//	func maker() testproc.Procedures {
//		var objects []*qnxshm.Object // what the procedures share
//		return testproc.Procedures{
//			"object": func(size int64) (int, error) {
//				obj, err := qnxshm.Create(size)
//				objects = append(objects, obj)
//				return len(objects) - 1, err
//			},
//			"handle": func(object, pid int) (qnxshm.Handle, error) {
//				return objects[object].CreateHandle(pid, qnxshm.ReadOnly, nil)
//			},
//			"delete": qnxshm.DeleteHandle,
//		}
//	}
//
//	func TestDelete(t *testing.T) {
//		c := testproc.Start(t, "maker") // killed at the end of the test
//		h := c.Do("handle", c.Do("object", 4096), os.Getpid())
//		c.Do("delete", h) // or the test fails
//		testproc.WantErrno(t, syscall.ESRCH, c.Err("delete", h))
//		call := c.Begin("handle", 0, c.PID()) // beside others
//		v, err := call.Wait()
//		t.Log(v.Uint64(), err)
//	}
//
// A procedure is a function, whose last result may be an error, of which the errno
// and the text come back. Its first parameter may be a testing.TB: what is failed or
// skipped with that is the test that has called. Each call has a goroutine of its
// own, and all that a call did is seen by those that begin after it was answered.
// Options.Rerun is for a test that has to have a process to itself, and calls nothing
// in it.
//
// Packages have their own roles and procedures; what else they would need to start
// processes, to talk to them, to end them and to look for what they leave behind
// belongs in here. So does the Raw, a socket without the host's library, by which
// a test is a peer that breaks the rules.
//
// The suite in package shmtest has workers of its own: it is compiled for targets
// and by other modules, and must do without this.
package testproc
