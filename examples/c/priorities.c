/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Pulses with a higher priority are received before others, those with the same one in
 * the order in which they were sent.
 *
 * Prints:
 *
 *	priority 20: 3
 *	priority 10: 1
 *	priority 10: 2
 *	priority 5: 4
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>

int main(void)
{
	static const int sent[][2] = {{10, 1}, {10, 2}, {20, 3}, {5, 4}};
	static const int priorities[] = {0, 10, 10, 20, 5};
	struct _pulse pulse;
	int chid, coid, i;

	chid = ChannelCreate(0);
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	for (i = 0; i < 4; i++)
		if (MsgSendPulse(coid, sent[i][0], _PULSE_CODE_MINAVAIL, sent[i][1]) == -1) {
			perror("MsgSendPulse");
			return EXIT_FAILURE;
		}
	for (i = 0; i < 4; i++) {
		if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1) {
			perror("MsgReceivePulse");
			return EXIT_FAILURE;
		}
		printf("priority %d: %d\n", priorities[pulse.value.sival_int], pulse.value.sival_int);
	}
	return EXIT_SUCCESS;
}
