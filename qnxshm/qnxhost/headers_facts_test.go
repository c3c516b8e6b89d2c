//go:build linux

package qnxhost_test

import (
	"fmt"
	"strings"
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
		_NTO_CLIENTINFO_GETGROUPS=1 _NTO_CLIENTINFO_GETTYPEID=2
		_NTO_TIMEOUT_INTR=0x10000 _NTO_TIMEOUT_SEM=0x20000 _NTO_VERSION=800 __RCVID_T_SIZE=8 __QNXHOST__=1`},
	{"sys/states.h", `STATE_DEAD=0 STATE_RUNNING=1 STATE_READY=2 STATE_STOPPED=3 STATE_SEND=4 STATE_RECEIVE=5
		STATE_REPLY=6 STATE_STACK=7 STATE_WAITTHREAD=8 STATE_WAITPAGE=9 STATE_SIGSUSPEND=10 STATE_SIGWAITINFO=11
		STATE_NANOSLEEP=12 STATE_MUTEX=13 STATE_CONDVAR=14 STATE_JOIN=15 STATE_INTR=16 STATE_SEM=17
		STATE_WAITCTX=18 STATE_NET_SEND=19 STATE_NET_REPLY=20 STATE_MAX=24`},
	{"sys/dispatch.h", `NAME_FLAG_DETACH_SAVEDPP=1 NAME_FLAG_ATTACH_GLOBAL=2 POOL_FLAG_EXIT_SELF=1 POOL_FLAG_USE_SELF=2
		POOL_FLAG_CALL_BLOCK_ERRF=0x40 POOL_FLAG_CALL_HANDLE_ERRF=0x80 POOL_ERROR_BLOCK=1 POOL_ERROR_HANDLER=2 POOL_ERROR_CONTEXT=4`},
	{"sys/iomsg.h", `_IO_BASE=0x100 _IO_CONNECT=0x100 _IO_DUP=0x115 _IO_CLOSE=0x116 _IO_MAX=0x1ff _IO_CONNECT_OPEN=2`},
	{"sys/neutrino.h", `_NTO_TCTL_IO_PRIV=1 _NTO_TCTL_THREADS_HOLD=2 _NTO_TCTL_THREADS_CONT=3 _NTO_TCTL_RUNMASK=4
		_NTO_TCTL_ALIGN_FAULT=5 _NTO_TCTL_RUNMASK_GET_AND_SET=6 _NTO_TCTL_PERFCOUNT=7 _NTO_TCTL_ONE_THREAD_HOLD=8
		_NTO_TCTL_ONE_THREAD_CONT=9 _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT=10 _NTO_TCTL_NAME=11
		_NTO_TCTL_RCM_GET_AND_SET=12 _NTO_TCTL_SHR_MUTEX=13 _NTO_TCTL_IO=14 _NTO_TCTL_LOW_LATENCY=16
		_NTO_TCTL_IO_LEVEL=19 _NTO_THREAD_NAME_MAX=100 _NTO_TIMER_SEARCH=1 _NTO_TIMER_RESET_OVERRUNS=2
		_NTO_TI_ACTIVE=1 _NTO_TI_ABSOLUTE=2 _NTO_TI_EXPIRED=4 _NTO_TI_TOD_BASED=8 _NTO_TI_TARGET_PROCESS=0x10
		_NTO_TI_PRECISE=0x40 _NTO_TI_TOLERANT=0x80 RMSK_SIZE(1)=1 RMSK_SIZE(33)=2`},
	{"sys/procmgr.h", `PROCMGR_DAEMON_NOCHDIR=1 PROCMGR_DAEMON_NOCLOSE=2 PROCMGR_DAEMON_NODEVNULL=4
		PROCMGR_DAEMON_KEEPUMASK=8 PROCMGR_EVENT_DAEMON_DEATH=0x40000 PROCMGR_AID_MEM_PHYS=16
		PROCMGR_AID_PUBLIC_CHANNEL=44 PROCMGR_AID_EOL=0xffff PROCMGR_AOP_DENY=0x10000 PROCMGR_AOP_ALLOW=0x20000
		PROCMGR_AOP_LOCK=0x80000 PROCMGR_ADN_ROOT=0x10000000 PROCMGR_ADN_NONROOT=0x20000000`},
	{"sys/slog.h", `_SLOG_SHUTDOWN=0 _SLOG_DEBUG2=7 _SLOG_SETCODE(3,2)=0x200003 _SLOG_GETMAJOR(0x200003)=3 _SLOG_GETMINOR(0x200003)=2`},
	{"sys/slogcodes.h", `_SLOGC_TEST=10000 _SLOGC_PRIVATE_START=10000 _SLOGC_PRIVATE_END=19999`},
	{"sys/slog2.h", `SLOG2_SHUTDOWN=0 SLOG2_INFO=5 SLOG2_DEBUG2=7 SLOG2_MAX_BUFFERS=4`},
	{"share.h", `SH_COMPAT=0 SH_DENYRW=0x10 SH_DENYWR=0x20 SH_DENYRD=0x30 SH_DENYNO=0x40`},
	{"process.h", `P_WAIT=0 P_NOWAIT=1 P_OVERLAY=2 P_NOWAITO=3`},
	// The host's own: a clock of the system's that tells what CLOCK_REALTIME does, and bits beside the system's.
	{"time.h", `CLOCK_SOFTTIME=5 (TIMER_TOLERANCE&TIMER_PRECISE)=0 ((TIMER_TOLERANCE|TIMER_PRECISE)&0x7ffffff)=0`},
	{"sys/netmgr.h", `ND_LOCAL_NODE=0 ND_NODE_CMP(ND_LOCAL_NODE,0)=0 ND_NODE_CMP(1,2)=-1 ND_NODE_CMP(2,1)=1`},
	{"sys/siginfo.h", `SIGEV_NONE=0 SIGEV_SIGNAL=129 SIGEV_SIGNAL_CODE=130 SIGEV_SIGNAL_THREAD=131 SIGEV_PULSE=132
		SIGEV_UNBLOCK=133 SIGEV_INTR=134 SIGEV_THREAD=135 SIGEV_TYPE_MASK=255 SIGEV_FLAG_UPDATEABLE=0x400
		SIGEV_MEMORY=136 SIGEV_FLAG_CRITICAL=0x100 SIGEV_FLAG_OVERDRIVE=0x200 SIGEV_FLAG_HANDLE=0x2000 SIGEV_PULSE_PRIO_INHERIT=-1`},
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
	{"sys/neutrino.h", "iov_t", 16, "iov_base=0 iov_base_const=0 iov_len=8"},
	{"sys/neutrino.h", "struct nto_channel_config", 56, "event=0 num_pulses=32 rearm_threshold=36 options=40 reserved=44"},
	{"sys/neutrino.h", "rcvid_t", 8, ""},
	{"sys/neutrino.h", "struct _itimer", 16, "nsec=0 interval_nsec=8"},
	{"sys/neutrino.h", "struct _clockperiod", 8, "nsec=0 fract=4"},
	{"sys/neutrino.h", "struct _clockadjust", 8, "tick_count=0 tick_nsec_inc=4"},
	{"sys/neutrino.h", "struct _timer_info", 88, "itime=0 otime=16 flags=32 tid=36 notify=40 clockid=44 overruns=48 event=56"},
	{"time.h", "timer_t", 4, ""},
	{"sys/mman.h", "shm_handle_t", 8, ""},
	{"sys/siginfo.h", "union sigval", 8, "sival_int=0 sival_ptr=0 sival_long=0"},
	{"sys/siginfo.h", "struct sigevent", 32, `sigev_notify=0 sigev_signo=8 sigev_coid=8 sigev_notify_function=8 sigev_handle=8
		sigev_value=16 sigev_code=24 sigev_priority=26 sigev_notify_attributes=24`},
	{"sys/dispatch.h", "name_attach_t", 24, "dpp=0 chid=8 mntid=12 zero=16"},
}

// prototypes are those of QNX OS 8.0, with its own names for the types. A second
// declaration that differs from the first does not compile.
const prototypes = `
int munmap_flags(void *, size_t, unsigned);
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
unsigned delay(unsigned);
int mem_offset(const void *, int, size_t, off_t *, size_t *);
int mem_offset64(const void *, int, size_t, off64_t *, size_t *);
int getprio(pid_t);
int setprio(pid_t, int);
char *itoa(int, char *, int);
uint64_t ClockCycles(void);
int procmgr_ability(pid_t, unsigned, ...);
int procmgr_daemon(int, unsigned);
int procmgr_event_notify(unsigned, const struct sigevent *);
int slogf(int, int, const char *, ...);
int ChannelCreatePulsePool(unsigned, const struct nto_channel_config *);
name_attach_t *name_attach(dispatch_t *, const char *, unsigned);
int name_detach(name_attach_t *, unsigned);
int name_open(const char *, int);
int name_close(int);
dispatch_t *dispatch_create(void);
dispatch_t *dispatch_create_channel(int, unsigned);
int dispatch_destroy(dispatch_t *);
int dispatch_timeout(dispatch_t *, struct timespec *);
int ConnectClientInfoExt(int, struct _client_info **, int);
int ClientInfoExtFree(struct _client_info **);
int pthread_mutex_timedlock_monotonic(pthread_mutex_t *, const struct timespec *);
int pthread_timedjoin(pthread_t, void **, const struct timespec *);
int pthread_sleepon_lock(void);
int pthread_sleepon_unlock(void);
int pthread_sleepon_wait(const volatile void *);
int pthread_sleepon_timedwait(const volatile void *, uint64_t);
int pthread_sleepon_signal(const volatile void *);
int pthread_sleepon_broadcast(const volatile void *);
`

// The system's functions, with QNX's types. In C++ their declarations have to say more.
const systems = `
int shm_open(const char *, int, mode_t);
int shm_unlink(const char *);
void *mmap(void *, size_t, int, int, int, off_t);
void *mmap64(void *, size_t, int, int, int, off64_t);
int munmap(void *, size_t);
int mprotect(void *, size_t, int);
int mq_notify(mqd_t, const struct sigevent *);
int msync(void *, size_t, int);
int open(const char *, int, ...);
int close(int);
int fstat(int, struct stat *);
int ftruncate(int, off_t);
int ftruncate64(int, off64_t);
int timer_create(clockid_t, struct sigevent *, timer_t *);
int timer_delete(timer_t);
int timer_settime(timer_t, int, const struct itimerspec *, struct itimerspec *);
int timer_gettime(timer_t, struct itimerspec *);
int timer_getoverrun(timer_t);
int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int pthread_setname_np(pthread_t, const char *);
int pthread_getname_np(pthread_t, char *, size_t);
int pthread_setschedparam(pthread_t, int, const struct sched_param *);
int pthread_setschedprio(pthread_t, int);
int pthread_getschedparam(pthread_t, int *, struct sched_param *);
int sched_setscheduler(pid_t, int, const struct sched_param *);
int sched_setparam(pid_t, const struct sched_param *);
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
int TimerCreate(clockid_t, const struct sigevent *);
int TimerDestroy(timer_t);
int TimerSettime(timer_t, int, const struct _itimer *, struct _itimer *);
int TimerInfo(pid_t, timer_t, int, struct _timer_info *);
int ClockTime(clockid_t, const uint64_t *, uint64_t *);
int ClockAdjust(clockid_t, const struct _clockadjust *, struct _clockadjust *);
int ClockPeriod(clockid_t, const struct _clockperiod *, struct _clockperiod *, int);
int ClockId(pid_t, int);
int SchedGet(pid_t, int, struct sched_param *);
int SchedSet(pid_t, int, int, const struct sched_param *);
int SchedInfo(pid_t, int, struct _sched_info *);
int ThreadCtl(int, void *);
int TimerTimeout(clockid_t, unsigned, const struct sigevent *, const uint64_t *, uint64_t *);
`

// A bit of the system that QNX lacks must not compile rather than mean something else.
var withdrawn = []string{
	"PROT_GROWSDOWN", "MAP_32BIT", "MAP_DENYWRITE", "MAP_EXECUTABLE", "MAP_FIXED_NOREPLACE", "MAP_GROWSDOWN",
	"MAP_HUGETLB", "MAP_LOCKED", "MAP_NONBLOCK", "MAP_POPULATE", "MAP_SHARED_VALIDATE", "MAP_SYNC",
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
	b.WriteString("#ifdef __cplusplus\nextern \"C\" {\n")
	b.WriteString("#else\n" + systems + "#endif\n" + prototypes)
	for _, line := range strings.Split(strings.TrimSpace(kernelCalls), "\n") {
		fmt.Fprintf(&b, "%s\n%s\n", line, strings.Replace(line, "(", "_r(", 1))
	}
	b.WriteString("#ifdef __cplusplus\n}\n#endif\n")
	return b.String()
}
