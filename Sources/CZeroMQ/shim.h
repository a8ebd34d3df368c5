#ifndef ALADDIN_CZEROMQ_SHIM_H
#define ALADDIN_CZEROMQ_SHIM_H
#include <pthread.h>
#include <malloc.h> /* not in Swift's Glibc */
#include <zmq.h>
#include <sys/eventfd.h>
#include <sys/random.h>

/* glibc hides it without _GNU_SOURCE, which Swift's importer does not set. */
extern int pthread_setname_np(pthread_t thread, const char *name);

#endif
