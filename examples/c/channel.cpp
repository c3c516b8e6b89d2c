/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A channel and its connections as C++ classes, with the server as a std::thread.
 *
 * Prints:
 *
 *	HELLO
 *	the server was told to stop
 */
#include <sys/neutrino.h>

#include <cctype>
#include <cerrno>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>

namespace {

template <typename T> T checked(T result, const char *call)
{
	if (result == -1)
		throw std::system_error(errno, std::generic_category(), call);
	return result;
}

class connection {
public:
	connection(pid_t pid, int chid) : coid(checked(ConnectAttach(0, pid, chid, _NTO_SIDE_CHANNEL, 0), "ConnectAttach")) {}
	~connection() { ConnectDetach(coid); }
	connection(const connection &) = delete;
	connection &operator=(const connection &) = delete;

	std::string send(const std::string &request) const
	{
		char reply[32] = "";
		checked(MsgSend(coid, request.c_str(), request.size() + 1, reply, sizeof reply - 1), "MsgSend");
		return reply;
	}
	void pulse(int code) const { checked(MsgSendPulse(coid, -1, code, 0), "MsgSendPulse"); }

private:
	int coid;
};

class channel {
public:
	channel() : chid(checked(ChannelCreate(0), "ChannelCreate")) {}
	~channel() { ChannelDestroy(chid); }
	channel(const channel &) = delete;
	channel &operator=(const channel &) = delete;

	int id() const { return chid; }

	/* Until there is a pulse, whose code it returns. */
	template <typename F> int serve(F answer) const
	{
		union {
			struct _pulse pulse;
			char text[32];
		} message;
		for (;;) {
			int rcvid = static_cast<int>(checked(MsgReceive(chid, &message, sizeof message, nullptr), "MsgReceive"));
			if (rcvid == 0)
				return message.pulse.code;
			message.text[sizeof message.text - 1] = '\0';
			std::string reply = answer(std::string(message.text));
			MsgReply(rcvid, EOK, reply.c_str(), reply.size() + 1);
		}
	}

private:
	int chid;
};

std::string upper(std::string text)
{
	for (char &c : text)
		c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
	return text;
}

} // namespace

int main()
{
	constexpr int stop = 1;
	try {
		channel requests;
		int code = 0;
		std::thread server([&] { code = requests.serve(upper); });
		{
			connection client(0, requests.id());
			std::cout << client.send("hello") << std::endl;
			client.pulse(stop);
		}
		server.join();
		if (code == stop)
			std::cout << "the server was told to stop" << std::endl;
	} catch (const std::exception &e) {
		std::cerr << e.what() << std::endl;
		return 1;
	}
	return 0;
}
