/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A periodic timer that sends pulses to the program's own channel.
 *
 * Prints:
 *
 *	tick 1
 *	tick 2
 *	tick 3
 *	stopped
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>
#include <time.h>

#define CODE_TICK (_PULSE_CODE_MINAVAIL + 1)

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(void)
{
	struct sigevent event;
	struct itimerspec every;
	struct _pulse pulse;
	timer_t timer;
	int chid, coid, ticks = 0;

	if ((chid = ChannelCreate(0)) == -1)
		die("ChannelCreate");
	if ((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0)) == -1)
		die("ConnectAttach");
	SIGEV_PULSE_INIT(&event, coid, SIGEV_PULSE_PRIO_INHERIT, CODE_TICK, 0);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == -1)
		die("timer_create");
	every.it_value.tv_sec = 0;
	every.it_value.tv_nsec = 50000000;
	every.it_interval = every.it_value;
	if (timer_settime(timer, 0, &every, NULL) == -1)
		die("timer_settime");

	while (ticks < 3) {
		if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1)
			die("MsgReceivePulse");
		if (pulse.code == CODE_TICK)
			printf("tick %d\n", ++ticks);
	}

	if (timer_delete(timer) == -1)
		die("timer_delete");
	ConnectDetach(coid);
	ChannelDestroy(chid);
	printf("stopped\n");
	return EXIT_SUCCESS;
}
