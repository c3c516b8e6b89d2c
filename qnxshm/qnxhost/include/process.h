/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_PROCESS_H
#define QNXHOST_PROCESS_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>
#include <unistd.h>

/* To wait for the new process, whose status is returned; not to wait, its number is; to
   become it; not to wait ever, though on the host somebody has to. */
#define P_WAIT 0
#define P_NOWAIT 1
#define P_OVERLAY 2
#define P_NOWAITO 3

QNXHOST_BEGIN
/* With l arguments are given one by one, with v as an array; with p the file is looked for
   in PATH; with e there is an environment, in the former after the NULL that ends them. */
int spawnl(int mode, const char *path, const char *arg0, ...);
int spawnle(int mode, const char *path, const char *arg0, ...);
int spawnlp(int mode, const char *file, const char *arg0, ...);
int spawnlpe(int mode, const char *file, const char *arg0, ...);
int spawnv(int mode, const char *path, char *const argv[]);
int spawnve(int mode, const char *path, char *const argv[], char *const envp[]);
int spawnvp(int mode, const char *file, char *const argv[]);
int spawnvpe(int mode, const char *file, char *const argv[], char *const envp[]);

/* The system's number of a thread, which is that of the process for the first one. */
pid_t gettid(void) __THROW;
QNXHOST_END

#endif
