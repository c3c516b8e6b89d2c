/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include <stdlib.h>

#include "face.h"

/* The digits of a number, after a sign; nothing for a radix that has no digits. */
static char *digits(unsigned long value, char *text, int radix, int negative)
{
	char reversed[64], *to = text;
	int n = 0;

	if (radix < 2 || radix > 36) {
		*text = '\0';
		return text;
	}
	do
		reversed[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)radix];
	while ((value /= (unsigned)radix) > 0);
	if (negative)
		*to++ = '-';
	while (n > 0)
		*to++ = reversed[--n];
	*to = '\0';
	return text;
}

char *itoa(int value, char *text, int radix)
{
	/* Other radixes are for bits. */
	return radix == 10 ? ltoa(value, text, radix) : digits((unsigned)value, text, radix, 0);
}

char *utoa(unsigned value, char *text, int radix)
{
	return digits(value, text, radix, 0);
}

char *ltoa(long value, char *text, int radix)
{
	int negative = radix == 10 && value < 0;

	return digits(negative ? -(unsigned long)value : (unsigned long)value, text, radix, negative);
}

char *ultoa(unsigned long value, char *text, int radix)
{
	return digits(value, text, radix, 0);
}
