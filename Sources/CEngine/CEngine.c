#include "CEngine.h"

// The layout is the interface: what a compiler makes of it must not change within a version.
#define HAS_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another layout")

HAS_SIZE(aladdin_text, 16);
HAS_SIZE(aladdin_option, 16);
HAS_SIZE(aladdin_open_parameters, 40);
HAS_SIZE(aladdin_description, 104);
HAS_SIZE(aladdin_message, 32);
HAS_SIZE(aladdin_request, 128);
HAS_SIZE(aladdin_chunk, 24);
HAS_SIZE(aladdin_step, 56);
HAS_SIZE(aladdin_output, 32);
HAS_SIZE(aladdin_engine_api, 56);
