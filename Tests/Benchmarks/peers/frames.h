// What a client says to Aladdin, encoded by hand: a frame is a header of 32 bytes and a body.
#include <stdint.h>
#include <string.h>

enum { HELLO = 1, WELCOME, PING, PONG, GOODBYE, ERROR, CALL = 8, ITEM, END, CANCEL, BUNDLE };
enum { HEADER = 32 };

static inline void put(uint8_t *bytes, uint64_t value, int count) {
    for (int i = 0; i < count; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t get(const uint8_t *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline void make_header(uint8_t *into, int kind, uint64_t session, uint64_t stream, size_t body) {
    memset(into, 0, HEADER);
    memcpy(into, (uint8_t[]){'A', 'L', 'D', 1, 0, (uint8_t)kind}, 6);
    put(into + 6, stream ? 1 : 0, 2);
    put(into + 8, session, 8);
    put(into + 16, stream, 8);
    put(into + 24, body, 4);
}

// HELLO's body: software "load", takes_bundles.
static const char hello[] = "\n\4load\x18\1";
enum { HELLO_SIZE = sizeof hello - 1 };

// GenerateRequest {text of so many bytes, max_tokens 1, metadata}; returns its length.
static inline size_t make_request(uint8_t *into, size_t bytes, const char *durability) {
    uint8_t *at = into;
    *at++ = 0x12; // text
    for (size_t rest = bytes;; rest >>= 7) {
        *at++ = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
        if (rest <= 127) break;
    }
    memset(at, 'a', bytes);
    at += bytes;
    *at++ = 0x28; // max_tokens
    *at++ = 1;
    const char *key = "x-aladdin-durability";
    size_t key_size = strlen(key), value_size = strlen(durability);
    *at++ = 0x3a; // metadata
    *at++ = (uint8_t)(4 + key_size + value_size);
    *at++ = 0x0a;
    *at++ = (uint8_t)key_size;
    memcpy(at, key, key_size);
    at += key_size;
    *at++ = 0x12;
    *at++ = (uint8_t)value_size;
    memcpy(at, durability, value_size);
    return (size_t)(at + value_size - into);
}
