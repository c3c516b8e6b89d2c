// What a test tells the null libc, and how it asks what was called.
#include <stdint.h>
#include <sys/neutrino.h>

struct nullbench_answer {
	char function[32];
	int64_t result; // below 0: a negative errno
	int used;
};

#define NULLBENCH_ANSWERS 80
#define NULLBENCH_PULSES 4

struct nullbench_given {
	struct nullbench_answer answers[NULLBENCH_ANSWERS + 1]; // up to one without a name
	struct _pulse pulses[NULLBENCH_PULSES];                 // what MsgReceive_r gets, one after the other
	uint64_t limit, max_limit;                              // of handles
	uint64_t time;                                          // TimerTimeout_r: a little less is "the rest"
	int info_flags;                                         // of MsgInfo_r
};

// From here on calls of this thread are noted.
void nullbench_begin(struct nullbench_given g);

// No more, and how many there were.
int nullbench_end(void);

const char *nullbench_noted(int i);

uint64_t nullbench_blocked(void);
void nullbench_block(int signal, int block);
void nullbench_use_stack(void);
