//go:build nulllibc && linux && cgo

// The null libc: the functions of libc that the target's files call. They do nothing
// but note what they were asked for, and return what a test wants them to.

#include "libc.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/resource.h>
#include <sys/stat.h>

#undef MsgReceive_r
#undef MsgSendPulse_r

#define NOTES 200

static struct nullbench_given given;
static char noted[NOTES][160];
static int notes, received;
static int noting;    // whether calls are noted,
static pthread_t who; // and of which thread: that which a test runs on

void nullbench_begin(struct nullbench_given g)
{
	given = g;
	notes = received = 0;
	who = pthread_self();
	noting = 1;
}

int nullbench_end(void)
{
	noting = 0;
	return notes;
}

const char *nullbench_noted(int i) { return noted[i]; }

// called notes a call, and returns the answer to it.
static int64_t called(int64_t otherwise, const char *format, ...)
{
	char *note;
	size_t name;
	va_list args;

	if (!pthread_equal(who, pthread_self()))
		return otherwise;
	if (notes == NOTES)
		return -ENOSPC;
	note = noted[notes++];
	va_start(args, format);
	vsnprintf(note, sizeof noted[0], format, args);
	va_end(args);
	name = strcspn(note, "(");
	for (struct nullbench_answer *a = given.answers; a->function[0] != 0; a++) {
		if (a->used || strlen(a->function) != name || strncmp(a->function, note, name) != 0)
			continue;
		a->used = 1;
		return a->result;
	}
	return otherwise;
}

#define CALLED(otherwise, ...) (noting ? called(otherwise, __VA_ARGS__) : (int64_t)(otherwise))

// posix returns as functions do that set errno.
static int posix(int64_t result)
{
	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}

uint64_t nullbench_blocked(void)
{
	uint64_t blocked = 0;
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int s = 1; s <= 64; s++)
		blocked |= (uint64_t)(sigismember(&now, s) == 1) << (s - 1);
	return blocked;
}

void nullbench_block(int signal, int block)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int disturbed(void)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	return !sigismember(&now, SIGURG) || !sigismember(&now, SIGPROF) || !sigismember(&now, SIGALRM) || sigismember(&now, SIGSEGV) ||
	       sigismember(&now, SIGBUS) || sigismember(&now, SIGFPE) || sigismember(&now, SIGILL) || sigismember(&now, SIGTRAP) ||
	       sigismember(&now, SIGABRT);
}

// waits is what a call returns that fails with EINTR when a signal could do that to it,
// or a fault could not be told.
static int64_t waits(int64_t result) { return disturbed() ? -EINTR : result; }

// The stack is as if something else had been done there before.
void nullbench_use_stack(void)
{
	volatile char used[16384];

	for (size_t i = 0; i < sizeof used; i++)
		used[i] = 0x55;
}

// The three that are measured return at once where nothing is noted.
int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options)
{
	int64_t result;

	if (!noting) {
		*handlep = 42;
		return 0;
	}
	result = called(42, "shm_create_handle(%d, %d, %d, %u)", fd, pid, flags, options);
	if (result >= 0)
		*handlep = (shm_handle_t)result;
	return posix(result < 0 ? result : 0);
}

int shm_create_subrange_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options, size_t size, off_t offset)
{
	int64_t result = CALLED(42, "shm_create_subrange_handle(%d, %d, %d, %u, %zu, %lld)", fd, pid, flags, options, size, (long long)offset);

	if (result >= 0)
		*handlep = (shm_handle_t)result;
	return posix(result < 0 ? result : 0);
}

int shm_open_handle(shm_handle_t handle, int flags)
{
	return !noting ? 3 : posix(called(3, "shm_open_handle(%#llx, %d)", (unsigned long long)handle, flags));
}

int shm_open_handle_pid(shm_handle_t handle, int flags, pid_t pid)
{
	return posix(CALLED(3, "shm_open_handle_pid(%#llx, %d, %d)", (unsigned long long)handle, flags, pid));
}

int shm_delete_handle(shm_handle_t handle)
{
	return !noting ? 0 : posix(called(0, "shm_delete_handle(%#llx)", (unsigned long long)handle));
}

int qnxhost_shm_open(const char *name, int oflag, mode_t mode)
{
	return posix(waits(CALLED(3, "shm_open(%s, %#x, %#o)", name == SHM_ANON ? "SHM_ANON" : name, oflag, mode)));
}

int qnxhost_shm_unlink(const char *name) { return posix(waits(CALLED(0, "shm_unlink(%s)", name))); }
int qnxhost_ftruncate(int fd, off_t length) { return posix(waits(CALLED(0, "ftruncate(%d, %lld)", fd, (long long)length))); }
int qnxhost_close(int fd) { return posix(waits(CALLED(0, "close(%d)", fd))); }

int qnxhost_fstat(int fd, struct stat *st)
{
	int64_t result = CALLED(4096, "fstat(%d)", fd);

	st->st_size = result;
	return posix(waits(result < 0 ? result : 0));
}

int shm_ctl(int fd, int flags, uint64_t paddr, uint64_t size)
{
	return posix(waits(CALLED(1, "shm_ctl(%d, %#x, %#llx, %#llx)", fd, flags, (unsigned long long)paddr, (unsigned long long)size)));
}

int shm_revoke(int fd, pid_t pid) { return posix(waits(CALLED(0, "shm_revoke(%d, %d)", fd, pid))); }

int system_mprotect(void *addr, size_t len, int prot) __asm__("mprotect");

// A page that cannot be read, or MAP_FAILED.
static void *page(int64_t result)
{
	static char memory[4096] __attribute__((aligned(4096)));

	if (posix(waits(result)) == 0 && system_mprotect(memory, sizeof memory, PROT_NONE) == 0)
		return memory;
	return MAP_FAILED;
}

void *qnxhost_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return page(CALLED(0, "mmap(%p, %zu, %#x, %#x, %d, %lld)", addr, len, prot, flags, fd, (long long)off));
}

void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off)
{
	return page(CALLED(0, "mmap_handle(%p, %zu, %#x, %#x, %#llx, %lld)", addr, len, prot, flags, (unsigned long long)handle, (long long)off));
}

void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t handle, pid_t pid, off_t off)
{
	return page(CALLED(0, "mmap_handle_pid(%p, %zu, %#x, %#x, %#llx, %d, %lld)", addr, len, prot, flags, (unsigned long long)handle, pid, (long long)off));
}

int qnxhost_munmap(void *addr, size_t len)
{
	return posix(waits(CALLED(0, "munmap(%s, %zu)", addr == page(0) ? "page" : "?", len)));
}

// As if the mapping had been revoked.
int qnxhost_mprotect(void *addr, size_t len, int prot)
{
	return posix(waits(CALLED(-ENOMEM, "mprotect(%s, %zu, %#x)", addr == page(0) ? "page" : "?", len, prot)));
}

int qnxhost_getrlimit(int resource, struct rlimit *limit)
{
	int64_t result = CALLED(0, "getrlimit(%#x)", resource);

	if (result == 0) {
		limit->rlim_cur = given.limit;
		limit->rlim_max = given.max_limit;
	}
	return posix(result);
}

int qnxhost_setrlimit(int resource, const struct rlimit *limit)
{
	return posix(CALLED(0, "setrlimit(%#x, %llu, %llu)", resource, (unsigned long long)limit->rlim_cur, (unsigned long long)limit->rlim_max));
}

static struct _name_attach attached;
static char dispatch;

static const char *is(const void *p, const void *what, const char *name) { return p == what ? name : "?"; }

dispatch_t *dispatch_create_channel(int chid, unsigned flags)
{
	return posix(waits(CALLED(0, "dispatch_create_channel(%d, %#x)", chid, flags))) == 0 ? (dispatch_t *)&dispatch : NULL;
}

name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags)
{
	attached.dpp = dpp;
	return posix(waits(CALLED(0, "name_attach(%s, %s, %#x)", is(dpp, &dispatch, "dpp"), path, flags))) == 0 ? &attached : NULL;
}

int name_detach(name_attach_t *attach, unsigned flags)
{
	return posix(waits(CALLED(0, "name_detach(%s, %#x)", is(attach, &attached, "attach"), flags)));
}

int dispatch_destroy(dispatch_t *dpp) { return posix(waits(CALLED(0, "dispatch_destroy(%s)", is(dpp, &dispatch, "dpp")))); }
int name_open(const char *name, int flags) { return posix(waits(CALLED(5, "name_open(%s, %d)", name, flags))); }

int ChannelCreate_r(unsigned flags) { return (int)CALLED(1, "ChannelCreate_r(%#x)", flags); }
int ChannelDestroy(int chid) { return posix(CALLED(0, "ChannelDestroy(%d)", chid)); }
int ChannelDestroy_r(int chid) { return (int)CALLED(0, "ChannelDestroy_r(%d)", chid); }

// A side channel is 5, any other connection what is asked for.
int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags)
{
	return (int)CALLED(index == _NTO_SIDE_CHANNEL ? 5 : index, "ConnectAttach_r(%u, %d, %d, %#x, %#x)", nd, pid, chid, index, flags);
}

int ConnectDetach_r(int coid) { return (int)CALLED(0, "ConnectDetach_r(%d)", coid); }

int ConnectServerInfo_r(pid_t pid, int coid, struct _server_info *info)
{
	info->pid = 11;
	info->chid = 12;
	info->scoid = 13;
	return (int)CALLED(coid, "ConnectServerInfo_r(%d, %d)", pid, coid);
}

int ConnectClientInfo_r(int scoid, struct _client_info *info, int ngroups)
{
	info->pid = 11;
	info->sid = 12;
	info->cred = (struct _cred_info){.ruid = 21, .euid = 22, .suid = 23, .rgid = 31, .egid = 32, .sgid = 33, .ngroups = 2};
	for (int i = 0; i < ngroups; i++)
		info->cred.grouplist[i] = 41 + i;
	return (int)CALLED(0, "ConnectClientInfo_r(%d, %d)", scoid, ngroups);
}

#if _NTO_VERSION >= 800
typedef unsigned states;
#else
typedef int states;
#endif

// Timeouts that are a little short of a given one are noted as that: time passes.
int TimerTimeout_r(clockid_t id, states flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime)
{
	char time[24] = "NULL";

	if (ntime != NULL && *ntime < given.time && *ntime > given.time / 2)
		strcpy(time, "the rest");
	else if (ntime != NULL)
		snprintf(time, sizeof time, "%llu", (unsigned long long)*ntime);
	return (int)waits(CALLED(0, "TimerTimeout_r(%s, %#x, %s, %s, %s)", id == CLOCK_MONOTONIC ? "monotonic" : "?", (unsigned)flags, is(notify, NULL, "NULL"), time,
	                         is(otime, NULL, "NULL")));
}

long MsgSend_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes)
{
	return waits(CALLED(0, "MsgSend_r(%d, %p, %zu, %p, %zu)", coid, smsg, sbytes, rmsg, rbytes));
}

// pieces describes those of a message: the first, and the length of the others.
static void pieces(char *text, size_t size, const iov_t *iov, size_t parts)
{
	int n = snprintf(text, size, "%p", parts > 0 ? iov[0].iov_base : NULL);

	for (size_t i = 0; i < parts && (size_t)n < size; i++)
		n += snprintf(text + n, size - n, " %zu", iov[i].iov_len);
}

long MsgSendv_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts)
{
	char sent[60], reply[60];

	if (!noting)
		return waits(0);
	pieces(sent, sizeof sent, siov, sparts);
	pieces(reply, sizeof reply, riov, rparts);
	return waits(CALLED(0, "MsgSendv_r(%d, %s, %s)", coid, sent, reply));
}

// The memory of each message begins with what could be taken for a pulse.
int64_t MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info)
{
	int64_t rcvid = CALLED(0, "MsgReceive_r(%d, %p, %zu)", chid, msg, bytes);

	if (noting && received < NULLBENCH_PULSES)
		memcpy(msg, &given.pulses[received++], sizeof(struct _pulse));
	if (rcvid > 0)
		*info = (struct _msg_info){
			.pid = 11, .tid = 12, .chid = chid, .scoid = 14, .coid = 15, .priority = 16,
			.msglen = bytes < 40 ? bytes : 40, .srcmsglen = (int64_t)1 << 33, .dstmsglen = (int64_t)1 << 34,
		};
	return waits(rcvid);
}

int MsgInfo_r(int64_t rcvid, struct _msg_info *info)
{
	info->flags = (int16_t)(given.info_flags | _NTO_MI_BITS_64);
	return (int)CALLED(0, "MsgInfo_r(%#llx)", (long long)rcvid);
}

int MsgReply_r(int64_t rcvid, long status, const void *msg, size_t bytes)
{
	return (int)CALLED(0, "MsgReply_r(%#llx, %ld, %p, %zu)", (long long)rcvid, status, msg, bytes);
}

int MsgReplyv_r(int64_t rcvid, long status, const iov_t *riov, size_t rparts)
{
	char reply[60];

	pieces(reply, sizeof reply, riov, rparts);
	return (int)CALLED(0, "MsgReplyv_r(%#llx, %ld, %s)", (long long)rcvid, status, reply);
}

int MsgError_r(int64_t rcvid, int error) { return (int)CALLED(0, "MsgError_r(%#llx, %d)", (long long)rcvid, error); }

ssize_t MsgRead_r(int64_t rcvid, void *msg, size_t bytes, size_t offset)
{
	return CALLED(bytes, "MsgRead_r(%#llx, %p, %zu, %zu)", (long long)rcvid, msg, bytes, offset);
}

ssize_t MsgWrite_r(int64_t rcvid, const void *msg, size_t bytes, size_t offset)
{
	return CALLED(bytes, "MsgWrite_r(%#llx, %p, %zu, %zu)", (long long)rcvid, msg, bytes, offset);
}

int MsgSendPulse_r(int coid, int priority, int code, long value)
{
	return (int)CALLED(0, "MsgSendPulse_r(%d, %d, %d, %ld)", coid, priority, code, value);
}

static int event(const char *call, long long id, const struct sigevent *e)
{
	return (int)CALLED(0, "%s(%#llx: %#x, %d, %d, %d, %ld)", call, id, e->sigev_notify, e->sigev_coid, e->sigev_priority, e->sigev_code,
	                   e->sigev_value.sival_long);
}

int MsgRegisterEvent_r(struct sigevent *e, int coid)
{
	int result = event("MsgRegisterEvent_r", coid, e);

	e->sigev_coid = 77; // the number of the event from here on
	return result;
}

int MsgUnregisterEvent_r(const struct sigevent *e) { return event("MsgUnregisterEvent_r", 0, e); }
int MsgDeliverEvent_r(int64_t rcvid, const struct sigevent *e) { return event("MsgDeliverEvent_r", rcvid, e); }
int MsgVerifyEvent_r(int64_t rcvid, const struct sigevent *e) { return event("MsgVerifyEvent_r", rcvid, e); }
