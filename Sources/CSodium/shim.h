#ifndef ALADDIN_CSODIUM_SHIM_H
#define ALADDIN_CSODIUM_SHIM_H
#include <sodium.h>
#endif
