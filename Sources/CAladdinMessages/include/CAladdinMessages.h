// Everything that protoc-c generated from Protos/, as one module. Regenerate with `make proto`.
#ifndef ALADDIN_C_MESSAGES_H
#define ALADDIN_C_MESSAGES_H

#include "aladdin/v1/admin.pb-c.h"
#include "aladdin/v1/frontend.pb-c.h"
#include "aladdin/v1/scheduler.pb-c.h"
#include "aladdin/v1/session.pb-c.h"
#include "aladdin/v1/status.pb-c.h"
#include "aladdin/v1/worker.pb-c.h"

#endif
