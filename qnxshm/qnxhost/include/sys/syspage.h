/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_SYSPAGE_H
#define QNXHOST_SYS_SYSPAGE_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdint.h>

/* Those members that tell something true of the host. */
struct qtime_entry {
	uint64_t cycles_per_sec; /* of ClockCycles: nanoseconds */
	uint32_t nsec_inc;       /* as ClockPeriod has it */
	uint32_t boot_time;      /* in seconds since 1970 */
};

struct syspage_entry {
	uint16_t num_cpu;
	struct qtime_entry qtime;
};

QNXHOST_BEGIN
extern struct syspage_entry *_syspage_ptr;
QNXHOST_END

#define SYSPAGE_ENTRY(entry) (&_syspage_ptr->entry)

#endif
