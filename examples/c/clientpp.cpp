/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * client.c as C++.
 *
 * Prints:
 *
 *	client *: Hello from *
 */
#include <fcntl.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <iostream>
#include <system_error>

namespace {

constexpr std::uint16_t type_hello = 0x200;

template <typename T> T checked(T result, T failure, const char *call)
{
	if (result == failure)
		throw std::system_error(errno, std::generic_category(), call);
	return result;
}

class connection {
public:
	explicit connection(const char *name) : coid(checked(name_open(name, 0), -1, "name_open")) {}
	~connection() { name_close(coid); }
	connection(const connection &) = delete;
	connection &operator=(const connection &) = delete;

	template <typename Reply> Reply send(std::uint16_t type)
	{
		Reply reply;
		checked(MsgSend(coid, &type, sizeof type, &reply, sizeof reply), -1L, "MsgSend");
		return reply;
	}

private:
	int coid;
};

class memory {
public:
	explicit memory(shm_handle_t handle)
	{
		int fd = checked(shm_open_handle(handle, O_RDONLY), -1, "shm_open_handle");
		struct stat st;
		checked(fstat(fd, &st), -1, "fstat");
		size = static_cast<std::size_t>(st.st_size);
		start = checked(mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED, "mmap");
		close(fd);
	}
	~memory() { munmap(start, size); }
	memory(const memory &) = delete;
	memory &operator=(const memory &) = delete;

	const char *text() const { return static_cast<const char *>(start); }

private:
	void *start;
	std::size_t size;
};

} // namespace

int main(int argc, char **argv)
{
	try {
		connection server(argc > 1 ? argv[1] : "qnxshm-example");
		memory shared(server.send<shm_handle_t>(type_hello));
		std::cout << "client " << getpid() << ": " << shared.text() << std::endl;
	} catch (const std::exception &e) {
		std::cerr << e.what() << std::endl;
		return 1;
	}
	return 0;
}
