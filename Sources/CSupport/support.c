#define _GNU_SOURCE
#include "CSupport.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void csupport_name_thread(const char *name) {
#if defined(__APPLE__)
    pthread_setname_np(name);
#else
    char kept[16];
    strncpy(kept, name, sizeof kept - 1);
    kept[sizeof kept - 1] = 0;
    pthread_setname_np(pthread_self(), kept);
#endif
}

void csupport_stop_self(void) { kill(getpid(), SIGSTOP); }

void csupport_kill_self(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}
