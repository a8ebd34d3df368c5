#ifndef ALADDIN_COPENBLAS_SHIM_H
#define ALADDIN_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
