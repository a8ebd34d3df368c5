// What client.c and worker.c share: a message is a header of 32 bytes and a protobuf body, in one ZeroMQ frame each.
#include <aladdin/v1/session.pb-c.h>
#include <aladdin/v1/status.pb-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

struct frame {
    int kind;
    uint64_t session;
    zmq_msg_t body; // valid until the next receive_frame
};

static inline void put(uint8_t *bytes, uint64_t value, int count) { // little-endian on any machine
    for (int i = 0; i < count; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t get(const uint8_t *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

// Sends a frame; message may be NULL. Frames of a session as such have neither method nor stream.
static inline void send_frame(
    void *socket, int kind, int method, uint64_t session, uint64_t stream, const void *message
) {
    size_t size = message ? protobuf_c_message_get_packed_size(message) : 0;
    uint8_t header[32] = {'A', 'L', 'D', 1, 0, (uint8_t)kind}, *body = malloc(size + 1);
    if (message) protobuf_c_message_pack(message, body);
    put(header + 6, (uint64_t)method, 2);
    put(header + 8, session, 8);
    put(header + 16, stream, 8);
    put(header + 24, size, 4);
    zmq_send(socket, header, sizeof header, ZMQ_SNDMORE);
    zmq_send(socket, body, size, 0);
    free(body);
}

// Waits for a frame. Returns 0 if none came in time, or none that can be understood.
static inline int receive_frame(void *socket, struct frame *frame, long timeout_ms) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, timeout_ms < 0 ? 0 : timeout_ms) <= 0) return 0;
    uint8_t header[64];
    int size = zmq_recv(socket, header, sizeof header, 0), more = 0;
    size_t length = sizeof more;
    zmq_msg_close(&frame->body);
    zmq_msg_init(&frame->body);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &length);
    if (more) zmq_msg_recv(&frame->body, socket, 0);
    if (size < 32 || memcmp(header, "ALD\1", 4) != 0) return 0;
    frame->kind = header[5];
    frame->session = get(header + 8, 8);
    return 1;
}

// For a broker with keys: three socket options from the file that `aladdin keys new` made, set before connecting.
static inline void use_key(void *socket, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) perror(path), exit(2);
    char line[256], word[32], value[64];
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%31s %63s", word, value) != 2) continue;
        int option = !strcmp(word, "public_key") ? ZMQ_CURVE_PUBLICKEY
                     : !strcmp(word, "secret_key") ? ZMQ_CURVE_SECRETKEY
                     : !strcmp(word, "server_key") ? ZMQ_CURVE_SERVERKEY : 0;
        if (option && zmq_setsockopt(socket, option, value, 41) != 0) // 40 characters and the zero
            fprintf(stderr, "%s: %s is no key\n", path, word), exit(2);
    }
    fclose(file);
}

static inline void *connect_to(void *context, const char *endpoint, const char *key_file) {
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int linger = 1000; // let the last frames leave
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (key_file) use_key(socket, key_file);
    if (zmq_connect(socket, endpoint) != 0) {
        fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(zmq_errno()));
        exit(2);
    }
    return socket;
}

// Says hello to the broker at an endpoint; to several, with commas between, one after the other until one answers: of
// those one leads, and the others are silent. Returns the socket of the last that was greeted.
static inline void *greet(void *context, const char *endpoints, const char *key_file, char *software, char *name) {
    Aladdin__V1__Hello hello = ALADDIN__V1__HELLO__INIT;
    hello.software = software;
    hello.name = name;
    for (const char *rest = endpoints;; rest++) {
        size_t length = strcspn(rest, ",");
        char *endpoint = strndup(rest, length);
        void *socket = connect_to(context, endpoint, key_file);
        free(endpoint);
        send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_HELLO, 0, 0, 0, &hello);
        zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, 2000) > 0 || !*(rest += length)) return socket;
        zmq_close(socket);
    }
}

#define BODY(frame) zmq_msg_size(&(frame).body), zmq_msg_data(&(frame).body)

// Says how a call or a session ended. Returns its status code: 0 is OK.
static inline int print_status(struct frame *frame) {
    Aladdin__V1__Status *status = aladdin__v1__status__unpack(NULL, BODY(*frame));
    int code = status ? (int)status->code : ALADDIN__V1__STATUS_CODE__STATUS_INTERNAL;
    if (code && status) {
        const ProtobufCEnumValue *name =
            protobuf_c_enum_descriptor_get_value(&aladdin__v1__status_code__descriptor, code);
        const ProtobufCEnumValue *reason =
            protobuf_c_enum_descriptor_get_value(&aladdin__v1__reason__descriptor, (int)status->reason);
        fprintf(stderr, "%s, %s: %s\n", name ? name->name : "?", reason ? reason->name : "?", status->message);
        if (status->retry_after_ms) fprintf(stderr, "try again in %u ms\n", status->retry_after_ms);
    }
    if (status) aladdin__v1__status__free_unpacked(status, NULL);
    return code;
}

static inline int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}
