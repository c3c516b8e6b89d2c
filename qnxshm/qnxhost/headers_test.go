//go:build linux

package qnxhost_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a program may include, in no particular order.
var headers = []string{
	"atomic.h", "confname.h", "errno.h", "fcntl.h", "hw/inout.h", "mqueue.h", "process.h", "pthread.h", "sched.h", "share.h",
	"signal.h", "stdlib.h", "string.h", "sync.h", "time.h", "unistd.h",
	"sys/dispatch.h", "sys/iofunc.h", "sys/iomsg.h", "sys/mman.h", "sys/netmgr.h", "sys/neutrino.h", "sys/platform.h",
	"sys/procmgr.h", "sys/resmgr.h", "sys/resource.h", "sys/sched.h", "sys/siginfo.h", "sys/slog.h", "sys/slog2.h", "sys/slogcodes.h",
	"sys/stat.h", "sys/states.h", "sys/syspage.h", "sys/types.h",
}

// Headers of the system that define or use the same types.
var neighbours = []string{"netdb.h", "semaphore.h", "spawn.h", "stdio.h", "sys/socket.h", "sys/uio.h", "sys/wait.h"}

// The system's functions that a program must not get.
var redirected = []string{
	"shm_open", "shm_unlink", "mmap", "mmap64", "munmap", "mprotect", "msync", "getrlimit", "setrlimit", "prlimit",
	"fstat", "fstat64", "ftruncate", "ftruncate64", "timer_create", "timer_delete", "timer_settime", "timer_gettime",
	"timer_getoverrun", "open", "open64", "close", "pthread_create", "pthread_setname_np", "pthread_getname_np", "mq_notify",
	"pthread_setschedparam", "pthread_setschedprio", "pthread_getschedparam", "sched_setscheduler", "sched_setparam",
}

// Every header there is is in the list, but for those that only others include, and the
// one that refuses.
func TestHeadersListed(t *testing.T) {
	t.Parallel()
	forEachHeader(t, "include", func(name string, _ []byte) {
		if dir, _, _ := strings.Cut(name, "/"); dir != "bits" && dir != "qnxhost" && name != "features.h" && name != "aio.h" {
			require.Contains(t, headers, name)
		}
	})
}

// Every header compiles alone, and with all others in any order.
func TestHeadersCompile(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	var files []string
	for _, name := range headers {
		// Twice: the second time must do no harm.
		files = append(files, tc.source(t, "alone-"+strings.ReplaceAll(name, "/", "-"), includes(name, name)+"extern int used;\n"))
	}
	modes := everyMode()
	t.Logf("%d modes", len(modes))
	jobs := inEach(modes, every, files...)
	jobs = append(jobs, inEach(modes, of8, tc.source(t, "declarations", declarations()), tc.source(t, "program", program))...)

	random := rand.New(rand.NewPCG(1, 2)) // the same orders every time
	order := func(name string, first, last []string) string {
		rest := slices.DeleteFunc(slices.Concat(headers, neighbours), func(other string) bool { return slices.Contains(slices.Concat(first, last), other) })
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		return tc.source(t, "order-"+name, includes(slices.Concat(first, rest, last)...))
	}
	files = nil
	for i, name := range []string{"signal.h", "sys/mman.h", "time.h", "pthread.h", "mqueue.h", "sys/siginfo.h", "errno.h"} {
		files = append(files, order(fmt.Sprintf("%d-first", i), []string{name}, nil), order(fmt.Sprintf("%d-last", i), nil, []string{name}))
	}
	jobs = append(jobs, inEach(modesOf(extremes, pedantic), every, files...)...)
	for i, m := range modes {
		jobs = append(jobs, job{m, []string{order(fmt.Sprintf("in-mode-%d", i), nil, nil)}})
	}
	tc.compile(t, jobs)
}

// The compilers suppress warnings about system headers, which these are. As
// anything else they still cause none.
func TestHeadersWarnings(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	bare := t.TempDir()
	marks := 0
	forEachHeader(t, tc.include, func(name string, text []byte) {
		const mark = "#pragma GCC system_header\n"
		marks += bytes.Count(text, []byte(mark))
		text = bytes.ReplaceAll(text, []byte(mark), nil)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(bare, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(bare, name), text, 0o600))
	})
	require.NotZero(t, marks)
	tc.include = bare
	file := tc.source(t, "all", includes(headers...))
	old := tc.source(t, "old", "#define _NTO_VERSION 710\n"+includes(headers...))
	narrow := tc.source(t, "narrow", "#define QNXHOST_SHM_HANDLE_BITS 32\n"+includes(headers...))
	strict := []string{"-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wcast-qual", "-Wundef", "-Werror", "-fsyntax-only"}
	tc.compiles(t, modesOf(extremes, strict), file, old, narrow)
}

func TestHeadersNumbers(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "numbers", numbersIn(none))
	for _, standard := range []string{"c11", "c++14", "c++20"} {
		out, err := tc.run(strings.Contains(standard, "++"), append(pedantic, "-std="+standard), file)
		require.NoError(t, err, "%s: %s", standard, out)
	}
	// The check itself notices.
	wrong := tc.source(t, "wrong", strings.Replace(numbersIn(none), "CHECK((long)(PROT_READ) == 0x100", "CHECK((long)(PROT_READ) == 0x1", 1))
	out, err := tc.run(false, append(pedantic, "-std=c11"), wrong)
	require.Error(t, err)
	require.Contains(t, out, "PROT_READ")
}

// Everything that carries an errno name of QNX's lies beyond the system's.
func TestHeadersErrnoRange(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	text := includes("errno.h")
	for _, group := range numbers {
		if group.header == "errno.h" {
			for _, number := range strings.Fields(group.names) {
				if name, _, _ := strings.Cut(number, "="); name != "EOK" {
					text += fmt.Sprintf("_Static_assert(%s > EHWPOISON && %[1]s < 4096, %[1]q);\n", name)
				}
			}
		}
	}
	out, err := tc.run(false, append(pedantic, "-std=c11"), tc.source(t, "errno", text))
	require.NoError(t, err, out)
}

// A program compiles beside the C++ library, before and after it, and one whose classes
// have members of the names that are the system's functions.
func TestHeadersBesideLibrary(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	library := includes("algorithm", "atomic", "chrono", "csignal", "cstdlib", "cstring", "ctime", "fstream", "memory", "string", "thread", "vector")
	var jobs []job
	modes := modesOf([]string{"c++17"}, pedantic)
	if *long {
		modes = everyMode()
	}
	for i, text := range []string{library + program, program + library, library + members, members + library} {
		file := tc.source(t, fmt.Sprintf("library-%d", i), text)
		jobs = append(jobs, inEach(modes, func(m mode) bool { return m.cxx() && of8(m) }, file)...)
	}
	different := tc.distinct(t, jobs)
	t.Logf("%d jobs, of which %d differ", len(jobs), len(different))
	tc.compile(t, different)
}

// In 7.1 some things are missing, and some are narrower.
func TestHeadersRelease71(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	only80 := func(name string) bool {
		return strings.HasPrefix(name, "_PULSE_CODE_PIPE") || strings.Contains(name, "RLIMIT_SHM_HANDLES_NP") ||
			slices.Contains([]string{
				"MAP_HANDLE", "_NTO_COF_NOINHERIT", "_NTO_COF_LOCAL", "_NTO_COF_ALLOWED", "_NTO_COF_PIPE",
				"_NTO_COF_DUP2", "_NTO_VERSION", "__RCVID_T_SIZE", "rcvid_t",
			}, name)
	}
	text := numbersIn(only80) + includes("sys/dispatch.h", "sys/mman.h", "sys/neutrino.h", "sys/resource.h") + `
CHECK(_NTO_VERSION == 710, "release");
CHECK(_NTO_CHF_ASYNC_NONBLOCK == 0x200 && _NTO_CHF_ASYNC == 0x400, "only in 7.x");
/* The names are free. */
typedef char rcvid_t, shm_create_subrange_handle, shm_open_handle_pid, mmap_handle_pid;
typedef int receive_t(int, void *, size_t, struct _msg_info *);
typedef int receivev_t(int, const iov_t *, size_t, struct _msg_info *);
typedef int pulse_t(int, int, int, int);
typedef int timeout_t(clockid_t, int, const struct sigevent *, const uint64_t *, uint64_t *);
void f(receive_t *, receive_t *, receivev_t *, receivev_t *, pulse_t *, pulse_t *, timeout_t *, timeout_t *);
void g(void);
void g(void)
{
	f(MsgReceive, MsgReceive_r, MsgReceivev, MsgReceivev_r, MsgSendPulse, MsgSendPulse_r, TimerTimeout, TimerTimeout_r);
}
`
	for _, name := range []string{"RLIMIT_SHM_HANDLES_NP", "MAP_HANDLE", "__RCVID_T_SIZE", "_PULSE_CODE_PIPE_INPUT"} {
		text += fmt.Sprintf("#ifdef %s\n#error \"%[1]s is 8.0's\"\n#endif\n", name)
	}
	files := []string{
		tc.source(t, "old", text),
		tc.source(t, "program", strings.ReplaceAll(program, "rcvid_t", "int")),
	}
	for _, flags := range [][]string{
		{"-D_NTO_VERSION=710"},
		{"-D__QNX__", "-D__QNXNTO__"}, // as the compiler of 7.1 has it
	} {
		for _, cxx := range []bool{false, true} {
			out, err := tc.run(cxx, append(slices.Clone(pedantic), flags...), files...)
			require.NoError(t, err, "%v: %s", flags, out)
		}
	}
}

func TestHeadersNarrowHandle(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "narrow", `#define CHECK _Static_assert
#include <sys/mman.h>
CHECK(sizeof(shm_handle_t) == 4 && (shm_handle_t)-1 > 0, "unsigned, 32 bits");
extern int qnxhost_32_shm_open_handle(uint32_t, int); /* not the library's */
extern int (*open_handle)(shm_handle_t, int);
int (*open_handle)(shm_handle_t, int) = shm_open_handle;
`)
	out, err := tc.run(false, append(slices.Clone(pedantic), "-DQNXHOST_SHM_HANDLE_BITS=32"), file)
	require.NoError(t, err, out)
	out, err = tc.run(false, append(slices.Clone(pedantic), "-DQNXHOST_SHM_HANDLE_BITS=16"), file)
	require.Error(t, err)
	require.Contains(t, out, "QNXHOST_SHM_HANDLE_BITS is 32 or 64")
}

// What the host cannot do must say so when it is compiled.
func TestHeadersRefusals(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	aio := tc.source(t, "aio", includes("aio.h"))
	ports := tc.source(t, "ports", includes("hw/inout.h")+"int f(void);\nint f(void) { return in8(0x80); }\n")
	for _, cxx := range []bool{false, true} {
		out, err := tc.run(cxx, []string{"-fsyntax-only"}, aio)
		require.Error(t, err)
		require.Contains(t, out, "no <aio.h>: struct sigevent is QNX's here")
		out, err = tc.run(cxx, []string{"-c", "-o", os.DevNull}, ports)
		require.Error(t, err)
		require.Contains(t, out, "the host gives no access to ports of devices")
	}
}

// Neither system macro is set unless the program asks.
func TestHeadersDoNotClaimToBeQNX(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "claim", includes(headers...)+"#if defined __QNX__ || defined __QNXNTO__ || !defined __QNXHOST__\n#error\n#endif\n")
	out, err := tc.run(false, pedantic, file)
	require.NoError(t, err, out)
}

// Whatever a program does with the name of such a function, it is linked by another.
func TestHeadersRedirect(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	var text strings.Builder
	text.WriteString(includes("stdio.h") + includes(headers...) + "typedef void function(void);\nextern function *const all[];\nfunction *const all[] = {\n")
	want := make(map[string]bool)
	for _, name := range redirected {
		fmt.Fprintf(&text, "\t(function *)%s,\n", name)
		want["qnxhost_"+strings.TrimSuffix(name, "64")] = true
	}
	text.WriteString("};\nint call(const char *path);\nint call(const char *path) { return close(open(path, O_RDONLY)) + close(open(path, O_CREAT, 0600)); }\n")
	file := tc.source(t, "redirect", text.String())
	object := filepath.Join(tc.dir, "redirect.o")
	for _, c := range []compiler{gcc, clang} {
		if !c.works() {
			continue
		}
		for _, flags := range [][]string{{"-O0"}, {"-O2", "-D_FORTIFY_SOURCE=3"}, {"-D_FILE_OFFSET_BITS=64"}, {"-D_GNU_SOURCE", "-O2"}} {
			for _, cxx := range []bool{false, true} {
				out, err := tc.runs(c, cxx, append([]string{"-w", "-c", "-o", object}, flags...), file)
				require.NoError(t, err, "%v: %s", flags, out)
				undefined, err := exec.Command("nm", "-u", object).Output()
				require.NoError(t, err)
				got := make(map[string]bool)
				for line := range strings.Lines(string(undefined)) {
					got[strings.TrimPrefix(strings.TrimSpace(line), "U ")] = true
				}
				require.Equal(t, want, got, "%v %v", c, flags)
			}
		}
	}
}

// A header of the system that has none in its place says the same as without these: a
// program for Linux may be compiled with them.
func TestHeadersLeaveOthers(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	others := []string{"ctype.h", "dirent.h", "dlfcn.h", "locale.h", "math.h", "net/if.h", "netdb.h", "netinet/in.h", "poll.h",
		"semaphore.h", "setjmp.h", "spawn.h", "stdio.h", "sys/epoll.h", "sys/eventfd.h", "sys/ioctl.h", "sys/socket.h", "sys/un.h",
		"sys/wait.h", "syslog.h", "termios.h", "wchar.h"}
	said := func(include string) string {
		file := tc.source(t, "others", includes(others...))
		out, err := exec.Command("gcc", "-E", "-D_GNU_SOURCE", "-I", include, file).Output()
		require.NoError(t, err)
		var own strings.Builder
		inside := false
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "# ") {
				inside = slices.ContainsFunc(others, func(name string) bool { return strings.Contains(line, "include/"+name+`"`) })
			} else if inside && strings.TrimSpace(line) != "" {
				own.WriteString(line)
			}
		}
		return own.String()
	}
	without := said(tc.dir)
	require.Greater(t, len(without), 10000)
	require.Equal(t, without, said(tc.include))
}

// QNX's compilers show its extensions whatever the standard is, and so do these
// headers, also when the first one included is none of theirs.
func TestHeadersShowExtensions(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "extensions", includes("stdio.h")+includes(headers...)+`
u_char byte;
off64_t offset;
char *f(struct tm *tm);
char *f(struct tm *tm)
{
	usleep(1);                           /* not in the newest POSIX */
	if (fileno(stdin) + ftruncate(0, 0)) /* not in C */
		return 0;
	return strptime("1", "%d", tm);      /* X/Open's */
}
`)
	for _, flags := range []string{"-std=c99", "-std=gnu17"} {
		out, err := tc.run(false, append(slices.Clone(pedantic), flags), file)
		require.NoError(t, err, out)
	}
}

func TestHeadersBehaviour(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "behaviour", behaviour)
	for _, cxx := range []bool{false, true} {
		binary := filepath.Join(tc.dir, fmt.Sprintf("behaviour-%t", cxx))
		out, err := tc.run(cxx, []string{"-Wall", "-Wextra", "-Werror", "-O1", "-o", binary}, file)
		require.NoError(t, err, out)
		text, err := exec.Command(binary).CombinedOutput()
		require.NoError(t, err, "%s", text)
	}
}
