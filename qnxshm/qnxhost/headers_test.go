//go:build linux

package qnxhost_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a program may include, in no particular order.
var headers = []string{
	"errno.h", "fcntl.h", "mqueue.h", "process.h", "signal.h", "string.h", "time.h", "unistd.h",
	"sys/dispatch.h", "sys/iofunc.h", "sys/iomsg.h", "sys/mman.h", "sys/netmgr.h",
	"sys/neutrino.h", "sys/resource.h", "sys/siginfo.h", "sys/stat.h", "sys/states.h",
}

// Headers of the system that define or use the same types.
var neighbours = []string{"netdb.h", "pthread.h", "sched.h", "semaphore.h", "spawn.h", "stdio.h", "sys/wait.h"}

var (
	strict   = []string{"c99", "c11", "c17", "c++14", "c++17", "c++20"}
	gnu      = []string{"gnu99", "gnu11", "gnu17", "gnu++14", "gnu++17", "gnu++20"}
	extremes = []string{"c99", "gnu17", "c++14", "gnu++20"}
	pedantic = []string{"-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"}
)

// numbers are QNX's, or the host's own where the comment says so.
var numbers = []struct {
	header string
	names  string // name=value …
}{
	{"sys/mman.h", `PROT_NONE=0 PROT_READ=0x100 PROT_WRITE=0x200 PROT_EXEC=0x400 PROT_NOCACHE=0x800 PROT_MASK=0xf00
		MAP_SHARED=1 MAP_PRIVATE=2 MAP_TYPE=3 MAP_FIXED=0x10 MAP_ELF=0x20 MAP_LAZY=0x80 MAP_STACK=0x1000
		MAP_BELOW=0x2000 MAP_NOINIT=0x4000 MAP_PHYS=0x10000 MAP_NOINHERIT=0x20000 MAP_HANDLE=0x40000
		MAP_ANON=0x80000 MAP_ANONYMOUS=0x80000 MAP_SYSRAM=0x01000000
		MAP_FILE=0 MAP_NORESERVE=0 MAP_RENAME=0 MAP_NOSYNCFILE=0
		MS_ASYNC=1 MS_SYNC=2 MS_INVALIDATE=4 MS_INVALIDATE_ICACHE=0x01000000 MS_CACHE_ONLY=0x02000000
		MS_CLEAN_ONLY=0x04000000 NOFD=-1
		POSIX_MADV_NORMAL=0 POSIX_MADV_SEQUENTIAL=2 POSIX_MADV_RANDOM=1 POSIX_MADV_WILLNEED=3 POSIX_MADV_DONTNEED=4
		SHM_CREATE_HANDLE_OPT_NOFD=1 SHMCTL_ANON=0x1 SHMCTL_PHYS=0x2 SHMCTL_SEAL=0x4 SHMCTL_REVOCABLE=0x8
		SHMCTL_GLOBAL=0x10 SHMCTL_PRIV=0x20 SHMCTL_LOWERPROT=0x40 SHMCTL_LAZYWRITE=0x80 SHMCTL_HIGHUSAGE=0x200
		SHMCTL_LAZY=0x400 SHMCTL_REPEAT=0x800 SHMCTL_NODEFRAG=0x1000 SHMCTL_TYMEM=0x2000 SHMCTL_GET_FLAGS=0x4000
		SHMCTL_HAS_SPECIAL=0x8000`},
	{"sys/neutrino.h", `_PULSE_TYPE=0 _PULSE_SUBTYPE=0 _PULSE_CODE_UNBLOCK=-32 _PULSE_CODE_DISCONNECT=-33
		_PULSE_CODE_THREADDEATH=-34 _PULSE_CODE_COIDDEATH=-35 _PULSE_CODE_NET_ACK=-36 _PULSE_CODE_NET_UNBLOCK=-37
		_PULSE_CODE_NET_DETACH=-38 _PULSE_CODE_RESTART=-39 _PULSE_CODE_NORESTART=-40
		_PULSE_CODE_UNBLOCK_RESTART=-41 _PULSE_CODE_UNBLOCK_TIMER=-42 _PULSE_CODE_PIPE_INPUT=-43
		_PULSE_CODE_PIPE_OUTPUT=-44 _PULSE_CODE_MINAVAIL=0 _PULSE_CODE_MAXAVAIL=127
		_NTO_MI_UNBLOCK_REQ=0x100 _NTO_MI_CHROOT=0x800 _NTO_MI_BITS_64=0x1000 _NTO_MI_BITS_DIFF=0x2000
		_NTO_CHF_FIXED_PRIORITY=0x1 _NTO_CHF_UNBLOCK=0x2 _NTO_CHF_THREAD_DEATH=0x4 _NTO_CHF_DISCONNECT=0x8
		_NTO_CHF_NET_MSG=0x10 _NTO_CHF_SENDER_LEN=0x20 _NTO_CHF_COID_DISCONNECT=0x40 _NTO_CHF_REPLY_LEN=0x80
		_NTO_CHF_PULSE_POOL=0x100 _NTO_CHF_GLOBAL=0x800 _NTO_CHF_PRIVATE=0x1000 _NTO_CHF_MSG_PAUSING=0x2000
		_NTO_CHF_INHERIT_RUNMASK=0x4000 _NTO_CHF_UNBLOCK_TIMER=0x8000
		_NTO_COF_CLOEXEC=1 _NTO_COF_DEAD=2 _NTO_COF_NOINHERIT=4 _NTO_COF_LOCAL=8 _NTO_COF_NOSHARE=0x40
		_NTO_COF_ALLOWED=0x80 _NTO_COF_PIPE=0x400 _NTO_COF_NOEVENT=0x800 _NTO_COF_REG_EVENTS=0x2000
		_NTO_COF_DUP2=0x8000 _NTO_SIDE_CHANNEL=0x40000000 _NTO_CONNECTION_SCOID=0x10000
		SYSMGR_PID=1 SYSMGR_CHID=1 SYSMGR_COID=0x40000000
		_NTO_TIMEOUT_SEND=0x10 _NTO_TIMEOUT_RECEIVE=0x20 _NTO_TIMEOUT_REPLY=0x40
		_NTO_TIMEOUT_SIGSUSPEND=0x400 _NTO_TIMEOUT_SIGWAITINFO=0x800 _NTO_TIMEOUT_NANOSLEEP=0x1000
		_NTO_TIMEOUT_MUTEX=0x2000 _NTO_TIMEOUT_CONDVAR=0x4000 _NTO_TIMEOUT_JOIN=0x8000
		_NTO_TIMEOUT_INTR=0x10000 _NTO_TIMEOUT_SEM=0x20000 _NTO_VERSION=800 __RCVID_T_SIZE=8 __QNXHOST__=1`},
	{"sys/states.h", `STATE_DEAD=0 STATE_RUNNING=1 STATE_READY=2 STATE_STOPPED=3 STATE_SEND=4 STATE_RECEIVE=5
		STATE_REPLY=6 STATE_STACK=7 STATE_WAITTHREAD=8 STATE_WAITPAGE=9 STATE_SIGSUSPEND=10 STATE_SIGWAITINFO=11
		STATE_NANOSLEEP=12 STATE_MUTEX=13 STATE_CONDVAR=14 STATE_JOIN=15 STATE_INTR=16 STATE_SEM=17
		STATE_WAITCTX=18 STATE_NET_SEND=19 STATE_NET_REPLY=20 STATE_MAX=24`},
	{"sys/dispatch.h", `NAME_FLAG_DETACH_SAVEDPP=1 NAME_FLAG_ATTACH_GLOBAL=2`},
	{"sys/iomsg.h", `_IO_BASE=0x100 _IO_CONNECT=0x100 _IO_DUP=0x115 _IO_CLOSE=0x116 _IO_MAX=0x1ff _IO_CONNECT_OPEN=2`},
	{"sys/netmgr.h", `ND_LOCAL_NODE=0`},
	{"sys/siginfo.h", `SIGEV_NONE=0 SIGEV_SIGNAL=129 SIGEV_SIGNAL_CODE=130 SIGEV_SIGNAL_THREAD=131 SIGEV_PULSE=132
		SIGEV_UNBLOCK=133 SIGEV_INTR=134 SIGEV_THREAD=135 SIGEV_TYPE_MASK=255 SIGEV_FLAG_UPDATEABLE=0x400
		SIGEV_FLAG_HANDLE=0x2000 SIGEV_PULSE_PRIO_INHERIT=-1`},
	{"errno.h", `EOK=0 EBADRPC=272 ERPCMISMATCH=273 EPROGUNAVAIL=274 EPROGMISMATCH=275 EPROCUNAVAIL=276
		ENOREMOTE=300 ENONDP=301 EBADFSYS=302 EMORE=309 ECTRLTERM=310 ENOLIC=311 ESRVRFAULT=312 EENDIAN=313
		ESECTYPEINVAL=314`},
	// The host's own: beyond the system's limits, and a bit that open ignores.
	{"sys/resource.h", `RLIMIT_SHM_HANDLES_NP=0x1000f (RLIMIT_SHM_HANDLES_NP>RLIM_NLIMITS)=1`},
	{"fcntl.h", `O_ANON=0x10000000 (O_ANON&(O_ACCMODE|O_CREAT|O_EXCL|O_TRUNC|O_CLOEXEC|O_NONBLOCK))=0 O_RDONLY=0 O_WRONLY=1 O_RDWR=2`},
}

// layouts are of 64-bit targets: type, size, then member=offset …
var layouts = []struct {
	header, of string
	size       int
	members    string
}{
	{"sys/neutrino.h", "struct _msg_info", 64, `nd=0 srcnd=4 pid=8 tid=12 chid=16 scoid=20 coid=24 priority=28 flags=30
		msglen=32 srcmsglen=40 dstmsglen=48 type_id=56 reserved=60`},
	{"sys/neutrino.h", "struct _server_info", 64, "pid=8 coid=24"},
	{"sys/neutrino.h", "struct _pulse", 24, "type=0 subtype=2 code=4 zero=5 value=8 scoid=16"},
	{"sys/neutrino.h", "struct _cred_info", 60, "ruid=0 euid=4 suid=8 rgid=12 egid=16 sgid=20 ngroups=24 grouplist=28"},
	{"sys/neutrino.h", "struct _client_info", 76, "nd=0 pid=4 sid=8 flags=12 cred=16"},
	{"sys/neutrino.h", "iov_t", 16, "iov_base=0 iov_len=8"},
	{"sys/neutrino.h", "struct nto_channel_config", 56, "event=0 num_pulses=32 rearm_threshold=36 options=40 reserved=44"},
	{"sys/neutrino.h", "rcvid_t", 8, ""},
	{"sys/mman.h", "shm_handle_t", 8, ""},
	{"sys/siginfo.h", "union sigval", 8, "sival_int=0 sival_ptr=0 sival_long=0"},
	{"sys/siginfo.h", "struct sigevent", 32, `sigev_notify=0 sigev_signo=8 sigev_coid=8 sigev_notify_function=8 sigev_handle=8
		sigev_value=16 sigev_code=24 sigev_priority=26 sigev_notify_attributes=24`},
	{"sys/dispatch.h", "name_attach_t", 24, "dpp=0 chid=8 mntid=12 zero=16"},
}

// prototypes are those of QNX OS 8.0, with its own names for the types. A second
// declaration that differs from the first does not compile.
const prototypes = `
int shm_open(const char *, int, mode_t);
int shm_unlink(const char *);
void *mmap(void *, size_t, int, int, int, off_t);
void *mmap64(void *, size_t, int, int, int, off64_t);
int munmap(void *, size_t);
int munmap_flags(void *, size_t, unsigned);
int mprotect(void *, size_t, int);
int shm_create_handle(int, pid_t, int, shm_handle_t *, unsigned);
int shm_create_subrange_handle(int, pid_t, int, shm_handle_t *, unsigned, size_t, off_t);
int shm_open_handle(shm_handle_t, int);
int shm_open_handle_pid(shm_handle_t, int, pid_t);
int shm_delete_handle(shm_handle_t);
void *mmap_handle(void *, size_t, int, int, shm_handle_t, off_t);
void *mmap_handle_pid(void *, size_t, int, int, shm_handle_t, pid_t, off_t);
int shm_ctl(int, int, uint64_t, uint64_t);
int shm_ctl_special(int, int, uint64_t, uint64_t, unsigned);
int shm_revoke(int, pid_t);
int getrlimit(int, struct rlimit *);
int setrlimit(int, const struct rlimit *);
int prlimit(pid_t, int, const struct rlimit *, struct rlimit *);
int timer_create(clockid_t, struct sigevent *, timer_t *);
int timer_delete(timer_t);
int timer_settime(timer_t, int, const struct itimerspec *, struct itimerspec *);
int timer_gettime(timer_t, struct itimerspec *);
int timer_getoverrun(timer_t);
unsigned delay(unsigned);
int fstat(int, struct stat *);
int ftruncate(int, off_t);
int ftruncate64(int, off64_t);
int ChannelCreatePulsePool(unsigned, const struct nto_channel_config *);
name_attach_t *name_attach(dispatch_t *, const char *, unsigned);
int name_detach(name_attach_t *, unsigned);
int name_open(const char *, int);
int name_close(int);
dispatch_t *dispatch_create(void);
dispatch_t *dispatch_create_channel(int, unsigned);
int dispatch_destroy(dispatch_t *);
`

// Of these there is a form with _r too.
const kernelCalls = `
int ChannelCreate(unsigned);
int ChannelDestroy(int);
int ConnectAttach(uint32_t, pid_t, int, unsigned, int);
int ConnectDetach(int);
int ConnectFlags(pid_t, int, unsigned, unsigned);
int ConnectClientInfo(int, struct _client_info *, int);
int ConnectServerInfo(pid_t, int, struct _server_info *);
long MsgSend(int, const void *, size_t, void *, size_t);
long MsgSendnc(int, const void *, size_t, void *, size_t);
long MsgSendsv(int, const void *, size_t, const iov_t *, size_t);
long MsgSendsvnc(int, const void *, size_t, const iov_t *, size_t);
long MsgSendvs(int, const iov_t *, size_t, void *, size_t);
long MsgSendvsnc(int, const iov_t *, size_t, void *, size_t);
long MsgSendv(int, const iov_t *, size_t, const iov_t *, size_t);
long MsgSendvnc(int, const iov_t *, size_t, const iov_t *, size_t);
rcvid_t MsgReceive(int, void *, size_t, struct _msg_info *);
rcvid_t MsgReceivev(int, const iov_t *, size_t, struct _msg_info *);
int MsgReceivePulse(int, void *, size_t, struct _msg_info *);
int MsgReceivePulsev(int, const iov_t *, size_t, struct _msg_info *);
int MsgReply(rcvid_t, long, const void *, size_t);
int MsgReplyv(rcvid_t, long, const iov_t *, size_t);
int MsgError(rcvid_t, int);
ssize_t MsgRead(rcvid_t, void *, size_t, size_t);
ssize_t MsgReadv(rcvid_t, const iov_t *, size_t, size_t);
ssize_t MsgWrite(rcvid_t, const void *, size_t, size_t);
ssize_t MsgWritev(rcvid_t, const iov_t *, size_t, size_t);
int MsgInfo(rcvid_t, struct _msg_info *);
int MsgSendPulse(int, int, int, long);
int MsgSendPulsePtr(int, int, int, void *);
int MsgDeliverEvent(rcvid_t, const struct sigevent *);
int MsgRegisterEvent(struct sigevent *, int);
int MsgUnregisterEvent(const struct sigevent *);
int TimerTimeout(clockid_t, unsigned, const struct sigevent *, const uint64_t *, uint64_t *);
`

// The system's functions that a program must not get.
var redirected = []string{
	"shm_open", "shm_unlink", "mmap", "munmap", "mprotect", "msync", "getrlimit", "setrlimit", "prlimit",
	"fstat", "ftruncate", "timer_create", "timer_delete", "timer_settime", "timer_gettime", "timer_getoverrun",
}

// A bit of the system that QNX lacks must not compile rather than mean something else.
var withdrawn = []string{
	"PROT_GROWSDOWN", "MAP_32BIT", "MAP_DENYWRITE", "MAP_EXECUTABLE", "MAP_FIXED_NOREPLACE", "MAP_GROWSDOWN",
	"MAP_HUGETLB", "MAP_LOCKED", "MAP_NONBLOCK", "MAP_POPULATE", "MAP_SHARED_VALIDATE", "MAP_SYNC",
}

// A program of the kind they are for, in what C and C++ have in common.
const program = `
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iofunc.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>

typedef union {
	uint16_t type;
	struct _pulse pulse;
	struct { uint16_t type; uint16_t subtype; size_t size; } request;
} message_t;

typedef struct { shm_handle_t handle; } answer_t;

int serve(void);
int ask(void);
int tick(int chid);

int serve(void)
{
	name_attach_t *name = name_attach(NULL, "example", 0);
	struct _msg_info info;
	message_t msg;

	if (name == NULL)
		return errno;
	for (;;) {
		rcvid_t rcvid = MsgReceive(name->chid, &msg, sizeof(msg), &info);
		if (rcvid == -1)
			return errno;
		if (rcvid == 0) {
			switch (msg.pulse.code) {
			case _PULSE_CODE_DISCONNECT:
				ConnectDetach(msg.pulse.scoid);
				break;
			case _PULSE_CODE_UNBLOCK:
				MsgError((rcvid_t)msg.pulse.value.sival_long, EINTR);
				break;
			}
			continue;
		}
		if (msg.type == _IO_CONNECT) {
			MsgReply(rcvid, EOK, NULL, 0);
			continue;
		}
		if (msg.type > _IO_BASE && msg.type <= _IO_MAX) {
			MsgError(rcvid, ENOSYS);
			continue;
		}
		answer_t answer;
		iov_t iov[1];
		int fd = shm_open(SHM_ANON, O_RDWR | O_CREAT | O_ANON, 0600);
		if (fd == -1 || ftruncate(fd, (off_t)msg.request.size) == -1)
			MsgError(rcvid, errno);
		char *memory = (char *)mmap(NULL, msg.request.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED || shm_create_handle(fd, info.pid, O_RDWR, &answer.handle, 0) == -1)
			MsgError(rcvid, errno);
		strlcpy(memory, "hello", msg.request.size);
		close(fd);
		SETIOV(iov, &answer, sizeof(answer));
		MsgReplyv(rcvid, EOK, iov, 1);
	}
}

int ask(void)
{
	struct { uint16_t type, subtype; size_t size; } request = { _IO_MAX + 1, 0, (size_t)__PAGESIZE };
	uint64_t timeout = 500000000;
	answer_t answer;
	int coid = name_open("example", 0);

	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, &timeout, NULL);
	if (MsgSend(coid, &request, sizeof(request), &answer, sizeof(answer)) == -1)
		return errno == ESRVRFAULT ? 2 : 1;
	int fd = shm_open_handle(answer.handle, O_RDWR);
	void *memory = mmap(0, request.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return munmap(memory, request.size) | name_close(coid);
}

int tick(int chid)
{
	int coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC);
	struct itimerspec every;
	struct sigevent event;
	timer_t timer;

	memset(&every, 0, sizeof(every));
	every.it_value.tv_nsec = every.it_interval.tv_nsec = 50 * 1000 * 1000;
	SIGEV_PULSE_INIT(&event, coid, SIGEV_PULSE_PRIO_INHERIT, _PULSE_CODE_MINAVAIL, &every);
	if (SIGEV_GET_TYPE(&event) != SIGEV_PULSE || MsgRegisterEvent(&event, coid) == -1)
		return -1;
	return timer_create(CLOCK_MONOTONIC, &event, &timer) | timer_settime(timer, 0, &every, NULL);
}
`

// What the headers define themselves, run.
const behaviour = `
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>

int main(void)
{
	struct sigevent event;
	char small[4] = "ab", page[1];
	iov_t iov[2];
	int number = 7;

	assert((long)SHM_ANON == -1 && (long)MAP_FAILED == -1);

	assert(strlcpy(small, "abcdef", sizeof(small)) == 6 && strcmp(small, "abc") == 0);
	assert(strlcpy(small, "x", 0) == 1 && strcmp(small, "abc") == 0);
	assert(strlcpy(small, "a", sizeof(small)) == 1 && strcmp(small, "a") == 0);
	assert(strlcat(small, "bcd", sizeof(small)) == 4 && strcmp(small, "abc") == 0);
	assert(strlcat(small, "d", 2) == 3 && strcmp(small, "abc") == 0);

	SIGEV_PULSE_INIT(&event, 3, SIGEV_PULSE_PRIO_INHERIT, 5, -6);
	assert(event.sigev_notify == SIGEV_PULSE && event.sigev_coid == 3 && event.sigev_priority == -1);
	assert(event.sigev_code == 5 && event.sigev_value.sival_int == -6 && event.sigev_value.sival_long == -6);
	SIGEV_PULSE_PTR_INIT(&event, 3, 10, 5, &number);
	assert(event.sigev_value.sival_ptr == &number && event.sigev_priority == 10);
	SIGEV_PULSE_INT_INIT(&event, 3, 10, 5, 0x100000009);
	assert(event.sigev_value.sival_int == 9);
	SIGEV_MAKE_UPDATEABLE(&event);
	assert(event.sigev_notify != SIGEV_PULSE && SIGEV_GET_TYPE(&event) == SIGEV_PULSE);
	SIGEV_CLEAR_UPDATEABLE(&event);
	assert(event.sigev_notify == SIGEV_PULSE);
	SIGEV_SIGNAL_CODE_INIT(&event, 16, &number, 2);
	assert(event.sigev_notify == SIGEV_SIGNAL_CODE && event.sigev_signo == 16 && event.sigev_code == 2);
	SIGEV_SIGNAL_THREAD_INIT(&event, 16, 1, 2);
	SIGEV_SIGNAL_INIT(&event, 17);
	SIGEV_THREAD_INIT(&event, NULL, 1, NULL);
	SIGEV_NONE_INIT(&event);
	SIGEV_INTR_INIT(&event);
	SIGEV_UNBLOCK_INIT(&event);
	assert(event.sigev_notify == SIGEV_UNBLOCK);

	SETIOV(&iov[0], small, sizeof(small));
	SETIOV_CONST(&iov[1], "text", 4);
	assert(GETIOVBASE(&iov[0]) == small && GETIOVLEN(&iov[1]) == 4);

	/* Together they are refused by the system, which thus got the bits that are meant. */
	assert(msync(page, 0, MS_SYNC | MS_ASYNC) == -1 && errno == EINVAL);
	char *start = (char *)((uintptr_t)page & ~((uintptr_t)__PAGESIZE - 1));
	errno = 0;
	assert(msync(start, 1, MS_SYNC | MS_INVALIDATE | MS_CACHE_ONLY) == 0);
	assert(msync(start, 1, MS_ASYNC | MS_SYNC) == -1 && errno == EINVAL);
	errno = 0;
	assert(msync(start, 1, 0x8) == -1 && errno == EINVAL);
	return 0;
}
`

// A toolchain compiles for one test.
type toolchain struct {
	cc, cxx, include, dir string
}

// newToolchain reads every header: the test cache then knows what compilers see.
func newToolchain(t *testing.T) *toolchain {
	t.Helper()
	tc := &toolchain{dir: t.TempDir()}
	for name, command := range map[string]*string{"gcc": &tc.cc, "g++": &tc.cxx} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no C and C++ compiler: %v", err)
		}
		*command = path
	}
	if out, err := exec.Command(tc.cc, "-dM", "-E", "-include", "features.h", "-xc", os.DevNull).Output(); err != nil ||
		!bytes.Contains(out, []byte("__GLIBC__")) || !bytes.Contains(out, []byte("__LP64__")) {
		t.Skipf("the headers need glibc on a 64-bit system (%s: %v)", tc.cc, err)
	}
	var err error
	tc.include, err = filepath.Abs("include")
	require.NoError(t, err)
	forEachHeader(t, tc.include, func(string, []byte) {})
	return tc
}

func forEachHeader(t *testing.T, dir string, do func(name string, text []byte)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			do(name, text)
		}
		return err
	}))
}

// source writes one file for the compilers.
func (tc *toolchain) source(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(tc.dir, name+".c")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// run compiles files, all at once, and returns what the compiler says.
func (tc *toolchain) run(cxx bool, flags []string, files ...string) (string, error) {
	compiler, language := tc.cc, "-xc"
	if cxx {
		compiler, language = tc.cxx, "-xc++"
	}
	args := slices.Concat([]string{"-I", tc.include, language}, flags, files)
	cmd := exec.Command(compiler, args...)
	cmd.Dir = tc.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// compiles requires that files compile, without a word, in each of the standards.
func (tc *toolchain) compiles(t *testing.T, standards, flags []string, files ...string) {
	t.Helper()
	type result struct {
		what, out string
		err       error
	}
	var todo []func() result
	for _, standard := range standards {
		todo = append(todo, func() result {
			all := slices.Concat(flags, []string{"-std=" + standard})
			out, err := tc.run(strings.Contains(standard, "++"), all, files...)
			return result{strings.Join(all, " "), out, err}
		})
	}
	results := make(chan result)
	slots := make(chan struct{}, runtime.NumCPU())
	for _, do := range todo {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results <- do()
		}()
	}
	var failed []string
	for range todo {
		if r := <-results; r.err != nil || r.out != "" {
			failed = append(failed, fmt.Sprintf("%s: %v\n%s", r.what, r.err, r.out))
		}
	}
	require.Empty(t, strings.Join(failed, "\n"))
}

func includes(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "#include <%s>\n", name)
	}
	return b.String()
}

// numbersIn is a source that asserts every number and layout, for C11 and C++.
func numbersIn(skip func(name string) bool) string {
	var b strings.Builder
	b.WriteString("#ifdef __cplusplus\n#define CHECK static_assert\n#else\n#define CHECK _Static_assert\n#endif\n")
	for _, group := range numbers {
		b.WriteString(includes(group.header))
	}
	b.WriteString("#include <stddef.h>\n")
	for _, group := range numbers {
		for _, number := range strings.Fields(group.names) {
			i := strings.LastIndex(number, "=")
			name, value := number[:i], number[i+1:]
			if !skip(name) {
				fmt.Fprintf(&b, "CHECK((long)(%s) == %s, %q);\n", name, value, name)
			}
		}
	}
	for _, layout := range layouts {
		if skip(layout.of) {
			continue
		}
		fmt.Fprintf(&b, "CHECK(sizeof(%s) == %d, %q);\n", layout.of, layout.size, layout.of)
		for _, member := range strings.Fields(layout.members) {
			name, at, _ := strings.Cut(member, "=")
			fmt.Fprintf(&b, "CHECK(offsetof(%s, %s) == %s, \"%[1]s.%[2]s\");\n", layout.of, name, at)
		}
	}
	for _, name := range withdrawn {
		fmt.Fprintf(&b, "#ifdef %s\n#error \"%[1]s is still defined\"\n#endif\n", name)
	}
	return b.String()
}

func none(string) bool { return false }

// declarations spells out every function a second time.
func declarations() string {
	var b strings.Builder
	b.WriteString(includes(headers...))
	b.WriteString("#ifdef __cplusplus\nextern \"C\" {\n#endif\n")
	b.WriteString(prototypes)
	for _, line := range strings.Split(strings.TrimSpace(kernelCalls), "\n") {
		fmt.Fprintf(&b, "%s\n%s\n", line, strings.Replace(line, "(", "_r(", 1))
	}
	b.WriteString("#ifdef __cplusplus\n}\n#endif\n")
	return b.String()
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
	all := slices.Concat(headers, neighbours)
	together := tc.source(t, "declarations", declarations())
	tc.compiles(t, strict, pedantic, append(files, together)...)
	tc.compiles(t, gnu, pedantic, together)

	files = nil
	random := rand.New(rand.NewPCG(1, 2)) // the same orders every time
	for i, name := range []string{"signal.h", "sys/mman.h", "time.h", "pthread.h", "mqueue.h", "sys/siginfo.h", "errno.h"} {
		order := slices.DeleteFunc(slices.Clone(all), func(other string) bool { return other == name })
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		files = append(files,
			tc.source(t, fmt.Sprintf("order-%d-first", i), includes(slices.Concat([]string{name}, order)...)),
			tc.source(t, fmt.Sprintf("order-%d-last", i), includes(append(order, name)...)))
	}
	tc.compiles(t, extremes, pedantic, files...)
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
	tc.compiles(t, extremes, []string{"-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wcast-qual", "-Wundef", "-Werror", "-fsyntax-only"},
		file, old, narrow)
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

func TestHeadersProgram(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	file := tc.source(t, "program", program)
	tc.compiles(t, slices.Concat(strict, gnu), pedantic, file)
	for _, flags := range [][]string{
		{"-D__QNX__=800", "-D__QNXNTO__"},
		{"-D_GNU_SOURCE"},
		{"-D_POSIX_C_SOURCE=200112L", "-std=c11"},
		{"-D_FILE_OFFSET_BITS=64"},
		{"-O2", "-D_FORTIFY_SOURCE=2"},
	} {
		for _, cxx := range []bool{false, true} {
			if cxx && slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "-std") }) {
				continue
			}
			out, err := tc.run(cxx, append(slices.Clone(pedantic), flags...), file)
			require.NoError(t, err, "%v: %s", flags, out)
		}
	}
	// Beside the C++ library, before and after.
	library := includes("algorithm", "atomic", "chrono", "csignal", "cstring", "ctime", "fstream", "memory", "string", "thread", "vector")
	var files []string
	for i, text := range []string{library + program, program + library} {
		files = append(files, tc.source(t, fmt.Sprintf("library-%d", i), text))
	}
	out, err := tc.run(true, append(slices.Clone(pedantic), "-std=c++17"), files...)
	require.NoError(t, err, out)
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
	notify := tc.source(t, "notify", includes("mqueue.h")+"int f(mqd_t q, struct sigevent *e) { return mq_notify(q, e); }\n")
	aio := tc.source(t, "aio", includes("aio.h"))
	for _, cxx := range []bool{false, true} {
		out, err := tc.run(cxx, []string{"-fsyntax-only"}, notify)
		require.Error(t, err)
		require.Contains(t, out, "no mq_notify: struct sigevent is QNX's here")
		out, err = tc.run(cxx, []string{"-fsyntax-only"}, aio)
		require.Error(t, err)
		require.Contains(t, out, "no <aio.h>: struct sigevent is QNX's here")
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

// Object-like macros, so that an address or a method's name is redirected as well.
func TestHeadersRedirect(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	text := includes(headers...) + "here:"
	want := "here:"
	for _, name := range append(redirected, "mmap64", "ftruncate64") {
		text += " " + name
		want += " qnxhost_" + strings.TrimSuffix(name, "64")
	}
	out, err := tc.run(false, []string{"-E", "-P"}, tc.source(t, "redirect", text+"\n"))
	require.NoError(t, err, out)
	require.Equal(t, want, strings.TrimSpace(out[strings.LastIndex(out, "here:"):]))
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
