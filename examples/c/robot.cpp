/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A thread of C++ drives an arm: its classes own a channel, connections, a timer and
 * shared memory. Others ask it to move, wait in vain, and look at its track. A loop of
 * dispatching hears a pipe, and threads ask for their scheduling and the time.
 *
 * Prints:
 *
 *	moved to 3 4 5, with status 0x200
 *	the track is at 4 5 6
 *	stalled: no answer
 *	what the arm does not know: EBADRPC
 *	the thread arm ticks
 *	after the connection was closed: EBADF
 *	the loop heard: four more
 *	scheduling is consistent
 *	cycles and the clock agree
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/syspage.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

namespace {

constexpr std::uint16_t move_to = 0x200, stall = 0x201, unknown = 0x202;
constexpr int tick = _PULSE_CODE_MINAVAIL + 1, stop = _PULSE_CODE_MINAVAIL + 2;

std::system_error error(int number, const char *call)
{
	return std::system_error(number, std::generic_category(), call);
}

template <typename T> T checked(T result, const char *call)
{
	if (result == static_cast<T>(-1))
		throw error(errno, call);
	return result;
}

/* The calls whose names end in _r return the negative errno. */
template <typename T> T checked_r(T result, const char *call)
{
	if (result < 0)
		throw error(static_cast<int>(-result), call);
	return result;
}

class connection {
public:
	connection(pid_t pid, int chid)
		: coid(checked_r(ConnectAttach_r(ND_LOCAL_NODE, pid, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC), "ConnectAttach_r"))
	{
	}
	connection(const connection &) = delete;
	connection &operator=(const connection &) = delete;
	~connection() { close(); }
	void close()
	{
		if (coid != -1)
			ConnectDetach_r(coid);
		coid = -1;
	}
	template <typename Request, typename Reply> long send(const Request &request, Reply &reply) const
	{
		return checked_r(MsgSend_r(coid, &request, sizeof request, &reply, sizeof reply), "MsgSend_r");
	}
	template <typename Request, typename Reply> long send(const Request &request, Reply &reply, std::chrono::nanoseconds limit) const
	{
		struct sigevent unblock;
		const std::uint64_t ns = static_cast<std::uint64_t>(limit.count());

		SIGEV_UNBLOCK_INIT(&unblock);
		checked(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, &unblock, &ns, nullptr), "TimerTimeout");
		return send(request, reply);
	}
	void pulse(int code, int value) const { checked_r(MsgSendPulse_r(coid, -1, code, value), "MsgSendPulse_r"); }
	int id() const { return coid; }

private:
	int coid;
};

class channel {
public:
	explicit channel(unsigned flags) : chid(checked_r(ChannelCreate_r(flags), "ChannelCreate_r")) {}
	channel(const channel &) = delete;
	channel &operator=(const channel &) = delete;
	~channel() { close(); }
	void close() { ChannelDestroy_r(chid); }
	template <typename Message> int receive(Message &message, struct _msg_info &info) const
	{
		return static_cast<int>(checked_r(MsgReceive_r(chid, &message, sizeof message, &info), "MsgReceive_r"));
	}
	int id() const { return chid; }

private:
	int chid;
};

class timer {
public:
	timer(const connection &to, int code, int value)
	{
		struct sigevent event;

		SIGEV_PULSE_INIT(&event, to.id(), SIGEV_PULSE_PRIO_INHERIT, code, value);
		checked(::timer_create(CLOCK_MONOTONIC, &event, &id), "timer_create");
	}
	timer(const timer &) = delete;
	timer &operator=(const timer &) = delete;
	~timer() { ::timer_delete(id); }
	void start(std::chrono::nanoseconds every)
	{
		struct itimerspec time;

		nsec2timespec(&time.it_value, static_cast<std::uint64_t>(every.count()));
		time.it_interval = time.it_value;
		checked(::timer_settime(id, 0, &time, nullptr), "timer_settime");
	}

private:
	timer_t id;
};

class memory {
public:
	explicit memory(std::size_t bytes) : fd(checked(::shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600), "shm_open")), size(bytes)
	{
		checked(::ftruncate(fd, static_cast<off_t>(size)), "ftruncate");
	}
	memory(shm_handle_t handle, int flags, std::size_t bytes) : fd(-1), size(bytes) { open(handle, flags); }
	memory(const memory &) = delete;
	memory &operator=(const memory &) = delete;
	~memory()
	{
		if (at != MAP_FAILED)
			::munmap(at, size);
		::close(fd);
	}
	void open(shm_handle_t handle, int flags) { fd = checked(::shm_open_handle(handle, flags), "shm_open_handle"); }
	template <typename T> T *mmap(int protection)
	{
		at = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			throw error(errno, "mmap");
		return static_cast<T *>(at);
	}
	shm_handle_t handle_for(pid_t pid, int flags) const
	{
		shm_handle_t handle;

		checked(::shm_create_handle(fd, pid, flags, &handle, 0), "shm_create_handle");
		return handle;
	}

private:
	int fd;
	std::size_t size;
	void *at = MAP_FAILED;
};

struct request {
	std::uint16_t type, subtype;
	int axis[3];
};

struct position {
	shm_handle_t track;
	int axis[3];
};

class arm {
public:
	arm() : requests(_NTO_CHF_UNBLOCK | _NTO_CHF_PRIVATE), self(0, requests.id()), clock(self, tick, 17), track(4096), driver(&arm::drive, this) {}
	~arm()
	{
		self.pulse(stop, 0);
		driver.join();
	}
	int chid() const { return requests.id(); }
	int ticks() const { return count; }
	const std::string &name() const { return own_name; } /* when it ticks */

private:
	void take_name(const char *name)
	{
		alignas(struct _thread_name) char room[sizeof(struct _thread_name) + _NTO_THREAD_NAME_MAX] = {};
		auto *data = reinterpret_cast<struct _thread_name *>(room);
		char now[_NTO_THREAD_NAME_MAX];

		data->new_name_len = static_cast<int>(std::strlen(name));
		data->name_buf_len = _NTO_THREAD_NAME_MAX;
		std::memcpy(data->name_buf, name, std::strlen(name));
		checked(ThreadCtl(_NTO_TCTL_NAME, data), "ThreadCtl");
		pthread_getname_np(pthread_self(), now, sizeof now);
		own_name = now;
	}
	void drive()
	{
		int *at = track.mmap<int>(PROT_READ | PROT_WRITE);
		union {
			struct _pulse pulse;
			request asked;
		} message;
		struct _msg_info info;

		take_name("arm");
		clock.start(std::chrono::milliseconds(2));
		for (;;) {
			int rcvid = requests.receive(message, info);

			if (rcvid > 0)
				answer(rcvid, message.asked, at, info.pid);
			else if (message.pulse.code == stop)
				return;
			else if (message.pulse.code == tick && message.pulse.value.sival_int == 17)
				++count;
			else if (message.pulse.code == _PULSE_CODE_UNBLOCK)
				MsgError_r(message.pulse.value.sival_int, ETIMEDOUT);
		}
	}
	void answer(int rcvid, const request &asked, int *at, pid_t pid)
	{
		position now;

		if (asked.type == stall)
			return; /* until its sender wants to go */
		if (asked.type != move_to) {
			MsgError_r(rcvid, EBADRPC);
			return;
		}
		for (int i = 0; i < 3; i++)
			at[i] += asked.axis[i];
		std::copy(at, at + 3, now.axis);
		now.track = track.handle_for(pid, O_RDONLY);
		MsgReply_r(rcvid, asked.type, &now, sizeof now);
	}

	channel requests;
	connection self;
	timer clock;
	memory track;
	std::atomic<int> count{0};
	std::string own_name;
	std::thread driver;
};

/* Reads from a pipe until a pulse of its own ends it. */
class loop {
public:
	loop() : dispatch(dispatch_create_channel(-1, 0))
	{
		if (dispatch == nullptr)
			throw error(errno, "dispatch_create_channel");
		checked(::pipe(ends), "pipe");
		checked(select_attach(dispatch, nullptr, ends[0], SELECT_FLAG_READ, readable, this), "select_attach");
		code = checked(pulse_attach(dispatch, MSG_FLAG_ALLOC_PULSE, 0, finished, this), "pulse_attach");
		coid = checked(message_connect(dispatch, MSG_FLAG_SIDE_CHANNEL), "message_connect");
	}
	loop(const loop &) = delete;
	loop &operator=(const loop &) = delete;
	~loop()
	{
		select_detach(dispatch, ends[0]);
		pulse_detach(dispatch, code, 0);
		ConnectDetach(coid);
		dispatch_destroy(dispatch);
		::close(ends[0]);
		::close(ends[1]);
	}
	void write(const std::string &text) { checked(::write(ends[1], text.data(), text.size()), "write"); }
	std::string run()
	{
		std::unique_ptr<dispatch_context_t, void (*)(dispatch_context_t *)> context(dispatch_context_alloc(dispatch), dispatch_context_free);

		while (!done) {
			if (dispatch_block(context.get()) == nullptr)
				throw error(errno, "dispatch_block");
			dispatch_handler(context.get());
		}
		return heard;
	}

private:
	static int readable(select_context_t *, int fd, unsigned, void *handle)
	{
		loop *self = static_cast<loop *>(handle);
		char text[64];
		ssize_t n = ::read(fd, text, sizeof text);

		if (n > 0)
			self->heard.append(text, static_cast<std::size_t>(n));
		if (self->heard.size() == 9)
			MsgSendPulse(self->coid, SIGEV_PULSE_PRIO_INHERIT, self->code, 99);
		return 0;
	}
	static int finished(message_context_t *context, int, unsigned, void *handle)
	{
		static_cast<loop *>(handle)->done = context->msg->pulse.value.sival_int == 99;
		return 0;
	}

	dispatch_t *dispatch;
	int ends[2];
	int code, coid;
	bool done = false;
	std::string heard;
};

void use_arm()
{
	arm robot;
	connection to(getpid(), robot.chid());
	position now;
	long status = to.send(request{move_to, 0, {3, 4, 5}}, now);

	std::cout << "moved to " << now.axis[0] << " " << now.axis[1] << " " << now.axis[2] << ", with status 0x" << std::hex << status
		  << std::dec << std::endl;
	to.send(request{move_to, 0, {1, 1, 1}}, now);
	memory track(now.track, O_RDONLY, 4096);
	const int *at = track.mmap<const int>(PROT_READ);
	std::cout << "the track is at " << at[0] << " " << at[1] << " " << at[2] << std::endl;
	try {
		to.send(request{stall, 0, {}}, now, std::chrono::milliseconds(20));
	} catch (const std::system_error &e) {
		std::cout << "stalled: " << (e.code().value() == ETIMEDOUT ? "no answer" : e.what()) << std::endl;
	}
	try {
		to.send(request{unknown, 0, {}}, now);
	} catch (const std::system_error &e) {
		std::cout << "what the arm does not know: " << (e.code().value() == EBADRPC ? "EBADRPC" : e.what()) << std::endl;
	}
	while (robot.ticks() < 3)
		delay(1);
	std::cout << "the thread " << robot.name() << " ticks" << std::endl;
	to.close();
	try {
		to.send(request{move_to, 0, {}}, now);
	} catch (const std::system_error &e) {
		std::cout << "after the connection was closed: " << (e.code().value() == EBADF ? "EBADF" : e.what()) << std::endl;
	}
}

void use_loop()
{
	loop hears;
	std::thread writer([&hears] {
		hears.write("four");
		hears.write(" more");
	});

	std::cout << "the loop heard: " << hears.run() << std::endl;
	writer.join();
}

/* A thread may set what it has. */
void schedule()
{
	struct sched_param is;
	int policy = checked(SchedGet(0, 0, &is), "SchedGet");
	bool same = is.sched_curpriority == getprio(0);

	same = same && pthread_getschedparam(pthread_self(), &policy, &is) == EOK && pthread_setschedparam(pthread_self(), policy, &is) == EOK;
	std::cout << "scheduling is " << (same ? "consistent" : "inconsistent") << std::endl;

	const std::uint64_t start = ClockCycles();
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	nanospin_ns(2000000);
	clock_gettime(CLOCK_MONOTONIC, &to);
	const double cycles = static_cast<double>(ClockCycles() - start) / static_cast<double>(SYSPAGE_ENTRY(qtime)->cycles_per_sec);
	const double clock = static_cast<double>(timespec2nsec(&to) - timespec2nsec(&from)) / 1e9;
	std::cout << "cycles and the clock " << (clock >= 0.001 && cycles > clock / 2 && cycles < 100 * clock ? "agree" : "differ") << std::endl;
}

} // namespace

int main()
{
	try {
		use_arm();
		use_loop();
		schedule();
	} catch (const std::exception &e) {
		std::cerr << e.what() << std::endl;
		return 1;
	}
}
