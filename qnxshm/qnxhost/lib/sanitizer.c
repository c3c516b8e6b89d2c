/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Threads of a program may order what they do by nothing but messages, which Go code
 * carries, where ThreadSanitizer does not look. One order for all calls is more than
 * there is: a race is not reported when a call of each side happens to lie between. But
 * what is reported is one.
 */
#define HIDDEN __attribute__((visibility("hidden")))

void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

void qnxhost_acquire(void) HIDDEN;
void qnxhost_release(void) HIDDEN;

static char order;

void qnxhost_release(void)
{
	if (__tsan_release)
		__tsan_release(&order);
}

void qnxhost_acquire(void)
{
	if (__tsan_acquire)
		__tsan_acquire(&order);
}
