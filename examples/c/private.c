/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A private channel, for the threads of one process.
 *
 * Prints:
 *
 *	received 5
 *	received 6
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>

int main(void)
{
	struct _pulse pulse;
	int chid, coid, i;

	chid = ChannelCreate(_NTO_CHF_PRIVATE | _NTO_CHF_FIXED_PRIORITY);
	if (chid == -1) {
		perror("ChannelCreate");
		return EXIT_FAILURE;
	}
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC);
	if (coid == -1) {
		perror("ConnectAttach");
		return EXIT_FAILURE;
	}
	for (i = 5; i <= 6; i++)
		if (MsgSendPulse(coid, -1, _PULSE_CODE_MINAVAIL, i) == -1) {
			perror("MsgSendPulse");
			return EXIT_FAILURE;
		}
	for (i = 5; i <= 6; i++) {
		if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1) {
			perror("MsgReceivePulse");
			return EXIT_FAILURE;
		}
		printf("received %d\n", pulse.value.sival_int);
	}
	return EXIT_SUCCESS;
}
