#ifndef ALADDIN_CPOSTGRESQL_SHIM_H
#define ALADDIN_CPOSTGRESQL_SHIM_H
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif
#endif
