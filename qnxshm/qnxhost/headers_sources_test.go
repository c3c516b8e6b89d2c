//go:build linux

package qnxhost_test

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

// A layer of C++ above the system's calls, of the kind that large programs have.
const members = `
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct Layer {
	virtual ~Layer() {}
	virtual void *mmap(void *a, size_t n, int p, int f, int fd, off_t o) { return ::mmap(a, n, p, f, fd, o); }
	virtual void *mmap64(void *a, size_t n, int p, int f, int fd, off_t o) { return ::mmap64(a, n, p, f, fd, o); }
	virtual int munmap(void *a, size_t n) { return ::munmap(a, n); }
	virtual int open(const char *path, int flags) { return ::open(path, flags); }
	virtual int close(int fd) { return ::close(fd); }
	virtual long send(int fd, const void *p, size_t n, int f) { return ::send(fd, p, n, f); }
	virtual int fstat(int fd, struct stat *s) { return ::fstat(fd, s); }
	virtual int fstat64(int fd, struct stat64 *s) { return ::fstat64(fd, s); }
	virtual int ftruncate(int fd, off_t n) { return ::ftruncate(fd, n); }
	virtual int ftruncate64(int fd, off_t n) { return ::ftruncate64(fd, n); }
	virtual int timer_create(clockid_t c, struct sigevent *e, timer_t *t) { return ::timer_create(c, e, t); }
	virtual int pthread_create(pthread_t *t, void *(*f)(void *)) { return ::pthread_create(t, nullptr, f, nullptr); }
	virtual int pthread_setname_np(pthread_t t, const char *n) { return ::pthread_setname_np(t, n); }
	virtual int delay(unsigned ms) { return static_cast<int>(::delay(ms)); }
};

int use(Layer &layer);
int use(Layer &layer) { return layer.close(layer.open("x", O_RDONLY)) + layer.munmap(layer.mmap64(nullptr, 1, PROT_READ, MAP_PRIVATE, NOFD, 0), 1); }
`

// What the headers define themselves, run.
const behaviour = `
#include <assert.h>
#include <atomic.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>

int main(void)
{
	struct sigevent event;
	char small[4] = "ab";
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
	SIGEV_SIGNAL_CODE_PTR_INIT(&event, 17, &event, 3);
	assert(event.sigev_value.sival_ptr == &event && event.sigev_code == 3);
	SIGEV_SIGNAL_CODE_INT_INIT(&event, 17, 0x100000008, 4);
	assert(event.sigev_value.sival_long == 8 && event.sigev_signo == 17 && event.sigev_code == 4);
	SIGEV_SIGNAL_VALUE_INIT(&event, 18, 1);
	SIGEV_SIGNAL_VALUE_PTR_INIT(&event, 18, &number);
	assert(event.sigev_notify == SIGEV_SIGNAL && event.sigev_signo == 18 && event.sigev_value.sival_ptr == &number);
	SIGEV_SIGNAL_VALUE_INT_INIT(&event, 19, -1);
	assert(event.sigev_signo == 19 && event.sigev_value.sival_int == -1);
	SIGEV_MAKE_CRITICAL(&event);
	SIGEV_MAKE_OVERDRIVE(&event);
	SIGEV_SET_TYPE(&event, SIGEV_PULSE);
	assert(SIGEV_GET_TYPE(&event) == SIGEV_PULSE && event.sigev_notify != SIGEV_PULSE);
	SIGEV_CLEAR_CRITICAL(&event);
	SIGEV_CLEAR_OVERDRIVE(&event);
	assert(event.sigev_notify == SIGEV_PULSE);
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

	iov[0].iov_base_const = "const";
	assert(iov[0].iov_base == iov[0].iov_base_const);
	assert(sizeof(timer_t) == sizeof(int) && CLOCK_SOFTTIME != CLOCK_REALTIME);
	number = 0;
	assert(atomic_add_value((volatile unsigned *)&number, 5) == 0 && atomic_clr_value((volatile unsigned *)&number, 1) == 5 && number == 4);
	return 0;
}
`
