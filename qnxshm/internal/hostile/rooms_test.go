//go:build linux

package hostile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A room is the surroundings of a process: what it does to itself, step by step,
// before it runs the program anew. So all its threads are in there.

// roomEnv holds the steps, as JSON.
const roomEnv = "QNXSHM_HOSTILE_ROOM"

// A step is its name in rooms, and arguments.
type step []string

var rooms = map[string]func(args []string) error{
	"user":       becomeUser,
	"mounts":     ownMounts,
	"mount":      mountOn,
	"bind":       bindOn,
	"time":       otherTime,
	"falsestat":  falseStat,
	"refuse":     refuseCalls,
	"othersfile": othersFile,
	"landlock":   landlock,
}

func init() {
	steps := os.Getenv(roomEnv)
	if steps == "" {
		return
	}
	runtime.LockOSThread() // what follows is of this thread only
	testproc.CannotServe(fmt.Sprint("this system has no such surroundings: ", enter(steps)))
}

// enter does not return unless it fails.
func enter(steps string) error {
	exe, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var room []step
	if err := json.Unmarshal([]byte(steps), &room); err != nil {
		return err
	}
	for _, s := range room {
		if err := rooms[s[0]](s[1:]); err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
	}
	os.Unsetenv(roomEnv)
	return execute(exe)
}

// execute is exec of an open file: it may be out of reach by now.
func execute(fd int) error {
	argv, err := syscall.SlicePtrFromStrings(os.Args[:1])
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return err
	}
	_, _, errno := syscall.Syscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&[1]byte{})),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return errno
}

func becomeUser(a []string) error {
	id, err := strconv.Atoi(a[0])
	if err != nil {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(id, id, id); err != nil {
		return err
	}
	return syscall.Setresuid(id, id, id)
}

// ownMounts makes what is mounted from now on this process's own.
func ownMounts([]string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

func mountOn(a []string) error { // type directory data [ro]
	flags := uintptr(0)
	if len(a) > 3 {
		flags = unix.MS_RDONLY
	}
	return unix.Mount("hostile", a[1], a[0], flags, a[2])
}

func bindOn(a []string) error { // what where
	return unix.Mount(a[0], a[1], "", unix.MS_BIND, "")
}

// otherTime is a time namespace in which the system has been up for longer.
func otherTime(a []string) error { // seconds
	if err := unix.Unshare(unix.CLONE_NEWTIME); err != nil {
		return err
	}
	return os.WriteFile("/proc/self/timens_offsets", []byte("monotonic "+a[0]+" 0\nboottime "+a[0]+" 0\n"), 0)
}

// falseStat makes /proc/self/stat tell that this process began at another time, as
// an emulator does.
func falseStat([]string) error {
	stat := fmt.Sprintf("/proc/%d/stat", os.Getpid())
	b, err := os.ReadFile(stat)
	if err != nil {
		return err
	}
	fields := strings.Fields(string(b)) // the program's name has no blanks
	fields[21] = "0"                    // when it began
	f, err := os.CreateTemp("", "stat")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := fmt.Fprintln(f, strings.Join(fields, " ")); err != nil {
		return err
	}
	return unix.Mount(f.Name(), stat, "", unix.MS_BIND, "")
}

// othersFile makes a file that everybody may write, of a user that is none of those
// who will.
func othersFile(a []string) error {
	if err := os.WriteFile(a[0], nil, 0o666); err != nil {
		return err
	}
	if err := os.Chmod(a[0], 0o666); err != nil {
		return err
	}
	return os.Chown(a[0], 1<<19, 1<<19)
}

// refusable are the calls that filters are known to refuse.
var refusable = map[string]uint32{
	"memfd_create": unix.SYS_MEMFD_CREATE,
	"pidfd_open":   unix.SYS_PIDFD_OPEN,
	"fcntl":        fcntlCall(),
	"openat":       unix.SYS_OPENAT,
}

func fcntlCall() uint32 {
	if unix.SizeofPtr == 4 {
		return 221 // fcntl64
	}
	return unix.SYS_FCNTL
}

// refuseCalls installs a seccomp filter: the call gives the errno. With a bit
// set in an argument, or the whole of it, only such calls do.
func refuseCalls(a []string) error { // call errno [argument bits|=value]
	errno, err := strconv.Atoi(a[1])
	if err != nil {
		return err
	}
	const load, equal, set, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K,
		unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	const allow, refuse = 0x7fff0000, 0x00050000 // SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
	filter := []unix.SockFilter{{Code: load, K: 0}}
	if len(a) == 2 {
		filter = append(filter, unix.SockFilter{Code: equal, Jf: 1, K: refusable[a[0]]})
	} else {
		test := uint16(set)
		if strings.HasPrefix(a[3], "=") {
			test = equal
		}
		n, err := strconv.Atoi(a[2])
		if err != nil {
			return err
		}
		value, err := strconv.ParseUint(strings.TrimPrefix(a[3], "="), 0, 32)
		if err != nil {
			return err
		}
		const args = 16 // offset in seccomp_data; the low half comes first
		filter = append(filter,
			unix.SockFilter{Code: equal, Jf: 3, K: refusable[a[0]]},
			unix.SockFilter{Code: load, K: uint32(args + 8*n)},
			unix.SockFilter{Code: test, Jf: 1, K: uint32(value)})
	}
	filter = append(filter, unix.SockFilter{Code: give, K: refuse | uint32(errno)}, unix.SockFilter{Code: give, K: allow})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno2 := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	if errno2 != 0 {
		return errno2
	}
	return nil
}

// landlock forbids to make files anywhere, or to talk to abstract sockets of
// processes outside.
func landlock(a []string) error { // files|sockets
	var attr unix.LandlockRulesetAttr
	switch a[0] {
	case "files":
		attr.Access_fs = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_REG
	case "sockets":
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	fd, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return errno
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// become is becomeUser for a node that goes on.
func become(id string) error { return becomeUser([]string{id}) }
