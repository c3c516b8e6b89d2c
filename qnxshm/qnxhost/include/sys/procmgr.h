/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_PROCMGR_H
#define QNXHOST_SYS_PROCMGR_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <inttypes.h>
#include <stdint.h>
#include <sys/types.h>

struct sigevent;

#define PROCMGR_DAEMON_NOCHDIR 0x1
#define PROCMGR_DAEMON_NOCLOSE 0x2
#define PROCMGR_DAEMON_NODEVNULL 0x4
#define PROCMGR_DAEMON_KEEPUMASK 0x8

#define PROCMGR_EVENT_SYNC 0x1
#define PROCMGR_EVENT_PATHSPACE 0x2
#define PROCMGR_EVENT_TOD 0x4
#define PROCMGR_EVENT_SYSCONF 0x10000
#define PROCMGR_EVENT_CONFSTR 0x20000
#define PROCMGR_EVENT_DAEMON_DEATH 0x40000
#define PROCMGR_EVENT_CONTIG_ALLOC_FAIL 0x80000
#define PROCMGR_EVENT_PROCESS_DEATH 0x100000
#define PROCMGR_EVENT_PROCESS_CREATE 0x400000
#define PROCMGR_EVENT_PRIVILEGED 0xffff0000

#define PROCMGR_AID_SPAWN_SETUID 0U
#define PROCMGR_AID_SPAWN_SETGID 1U
#define PROCMGR_AID_SETUID 2U
#define PROCMGR_AID_SETGID 3U
#define PROCMGR_AID_GETID 4U
#define PROCMGR_AID_PATHSPACE 5U
#define PROCMGR_AID_REBOOT 6U
#define PROCMGR_AID_CPUMODE 7U
#define PROCMGR_AID_RUNSTATE 8U
#define PROCMGR_AID_CONFSET 9U
#define PROCMGR_AID_RSRCDBMGR 10U
#define PROCMGR_AID_SESSION 11U
#define PROCMGR_AID_UMASK 12U
#define PROCMGR_AID_EVENT 13U
#define PROCMGR_AID_RLIMIT 14U
#define PROCMGR_AID_MEM_ADD 15U
#define PROCMGR_AID_MEM_PHYS 16U
#define PROCMGR_AID_MEM_SPECIAL 17U
#define PROCMGR_AID_MEM_GLOBAL 18U
#define PROCMGR_AID_MEM_PEER 19U
#define PROCMGR_AID_MEM_LOCK 20U
#define PROCMGR_AID_SPAWN 21U
#define PROCMGR_AID_FORK 22U
#define PROCMGR_AID_PROT_EXEC 23U
#define PROCMGR_AID_WAIT 24U
#define PROCMGR_AID_CLOCKSET 27U
#define PROCMGR_AID_INTERRUPT 29U
#define PROCMGR_AID_INTERRUPTEVENT PROCMGR_AID_INTERRUPT
#define PROCMGR_AID_IO 31U
#define PROCMGR_AID_TRACE 32U
#define PROCMGR_AID_PRIORITY 33U
#define PROCMGR_AID_CONNECTION 34U
#define PROCMGR_AID_SCHEDULE 35U
#define PROCMGR_AID_SIGNAL 36U
#define PROCMGR_AID_TIMER 37U
#define PROCMGR_AID_PGRP 38U
#define PROCMGR_AID_MAP_FIXED 39U
#define PROCMGR_AID_PUBLIC_CHANNEL 44U
#define PROCMGR_AID_ABLE_CREATE 46U
#define PROCMGR_AID_XPROCESS_QUERY 50U
#define PROCMGR_AID_PROT_WRITE_AND_EXEC 53U
#define PROCMGR_AID_CHANNEL_CONNECT 58U
#define PROCMGR_AID_EOL 0xffffU

#define PROCMGR_AOP_DENY 0x10000U
#define PROCMGR_AOP_ALLOW 0x20000U
#define PROCMGR_AOP_SUBRANGE 0x40000U
#define PROCMGR_AOP_LOCK 0x80000U
#define PROCMGR_AOP_INHERIT_YES 0x400000U
#define PROCMGR_AOP_INHERIT_NO 0x800000U

#define PROCMGR_ADN_ROOT 0x10000000U
#define PROCMGR_ADN_NONROOT 0x20000000U

QNXHOST_BEGIN

/* The host has no abilities: what is asked for is granted, and means nothing. */
int procmgr_ability(pid_t pid, unsigned ability, ...);

/* Accepted; these events do not happen on the host. */
int procmgr_event_notify(unsigned flags, const struct sigevent *event);
int procmgr_event_notify_add(unsigned flags, const struct sigevent *event);
int procmgr_event_notify_delete(int id);

/* Keeps the process, and so its channels; who has started it still waits for it. */
int procmgr_daemon(int status, unsigned flags);

QNXHOST_END

#endif
