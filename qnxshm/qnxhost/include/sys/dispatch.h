/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Names of servers. */
#ifndef QNXHOST_SYS_DISPATCH_H
#define QNXHOST_SYS_DISPATCH_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <fcntl.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <unistd.h>

typedef struct _dispatch dispatch_t;

typedef struct _name_attach {
	dispatch_t *dpp;
	int chid;
	int mntid;
	int zero[2];
} name_attach_t;

QNXHOST_SIZE(name_attach_t, 24);
QNXHOST_AT(name_attach_t, dpp, 0);
QNXHOST_AT(name_attach_t, chid, 8);
QNXHOST_AT(name_attach_t, mntid, 12);
QNXHOST_AT(name_attach_t, zero, 16);

#define NAME_FLAG_DETACH_SAVEDPP 1
#define NAME_FLAG_ATTACH_GLOBAL 2

QNXHOST_BEGIN

dispatch_t *dispatch_create(void);
dispatch_t *dispatch_create_channel(int chid, unsigned flags);
int dispatch_destroy(dispatch_t *dpp);

name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags);
int name_detach(name_attach_t *attach, unsigned flags);
int name_open(const char *name, int flags);
int name_close(int coid);

QNXHOST_END

#endif
