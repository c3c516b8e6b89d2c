/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Shared memory and its handle as C++ classes, whose methods have the names of the calls.
 *
 * Prints:
 *
 *	both see 42
 *	a second time: ESRCH
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string>
#include <system_error>

namespace {

class error : public std::system_error {
public:
	explicit error(const std::string &call) : std::system_error(errno, std::generic_category(), call) {}
};

class object {
public:
	static object create(std::size_t size)
	{
		object result(::shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600), "shm_open");
		if (::ftruncate(result.fd, static_cast<off_t>(size)) == -1)
			throw error("ftruncate");
		return result;
	}
	static object open(shm_handle_t handle, int flags) { return object(::shm_open_handle(handle, flags), "shm_open_handle"); }

	object(object &&other) noexcept : fd(other.fd) { other.fd = -1; }
	object(const object &) = delete;
	object &operator=(const object &) = delete;
	~object() { close(); }

	void close()
	{
		if (fd != -1)
			::close(fd);
		fd = -1;
	}
	shm_handle_t handle_for(pid_t pid, int flags) const
	{
		shm_handle_t handle;
		if (::shm_create_handle(fd, pid, flags, &handle, 0) == -1)
			throw error("shm_create_handle");
		return handle;
	}
	template <typename T> T *map(int prot) const
	{
		void *start = ::mmap(nullptr, sizeof(T), prot, MAP_SHARED, fd, 0);
		if (start == MAP_FAILED)
			throw error("mmap");
		return static_cast<T *>(start);
	}

private:
	object(int descriptor, const char *call) : fd(descriptor)
	{
		if (fd == -1)
			throw error(call);
	}
	int fd;
};

} // namespace

int main()
{
	try {
		object mine = object::create(4096);
		shm_handle_t handle = mine.handle_for(getpid(), O_RDONLY);
		int *written = mine.map<int>(PROT_READ | PROT_WRITE);
		object other = object::open(handle, O_RDONLY);
		const int *read = other.map<int>(PROT_READ);
		*written = 42;
		std::cout << "both see " << *read << std::endl;
		munmap(written, sizeof *written);
		munmap(const_cast<int *>(read), sizeof *read);
		try {
			object::open(handle, O_RDONLY);
		} catch (const error &e) {
			std::cout << "a second time: " << (e.code().value() == ESRCH ? "ESRCH" : e.what()) << std::endl;
		}
	} catch (const std::exception &e) {
		std::cerr << e.what() << std::endl;
		return 1;
	}
	return 0;
}
