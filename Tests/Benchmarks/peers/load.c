// A closed loop of queries over ZeroMQ: so many connections, so many queries in flight on each, for so many seconds.
//
//     load ENDPOINT CONNECTIONS IN_FLIGHT SECONDS BYTES DURABILITY
//
// It speaks Aladdin's protocol, encoded by hand: a header of 32 bytes and a body in two frames. Like the client libraries it
// takes bundles: many frames as the body of one. The bare broker of router.c is driven with the same bytes; there END is the
// only answer.
#include "clock.h"
#include "frames.h"

#include <zmq.h>

enum { WARM_UP_DIVISOR = 5, RING = 4096 };

// What has been measured.
static int64_t *latencies, warm;
static size_t ended, capacity = 1 << 16, failed;

struct connection {
    void *socket;
    uint64_t session, next_stream;
    int64_t sent[RING]; // by stream
};

static uint8_t body[1 << 20];
static size_t body_size;

static void send_frame(struct connection *to, int kind, uint64_t stream, const void *data, size_t size) {
    uint8_t header[HEADER];
    make_header(header, kind, to->session, stream, size);
    zmq_send(to->socket, header, sizeof header, ZMQ_SNDMORE);
    zmq_send(to->socket, data, size, 0);
}

static void ask(struct connection *on) {
    uint64_t stream = on->next_stream++;
    on->sent[stream % RING] = now_ns();
    send_frame(on, CALL, stream, body, body_size);
}

static void open_session(struct connection *connection, void *context, const char *endpoint) {
    int linger = 0, limit = 0;
    connection->socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(connection->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(connection->socket, ZMQ_SNDHWM, &limit, sizeof limit);
    zmq_setsockopt(connection->socket, ZMQ_RCVHWM, &limit, sizeof limit);
    if (zmq_connect(connection->socket, endpoint)) perror(endpoint), exit(2);
    connection->session = 0;
    connection->next_stream = 1;
    send_frame(connection, HELLO, 0, hello, HELLO_SIZE);
    uint8_t header[64];
    do {
        if (zmq_recv(connection->socket, header, sizeof header, 0) < 32) exit(3);
        char rest[4096];
        zmq_recv(connection->socket, rest, sizeof rest, 0);
    } while (header[5] != WELCOME);
    connection->session = get(header + 8, 8);
}

// An answer has come to its end; the next question follows.
static void end_query(struct connection *from, const uint8_t *header, const char *text, size_t size) {
    int64_t now = now_ns();
    if (size > 0) { // a status that is not OK
        if (failed++ == 0) fprintf(stderr, "%.*s\n", (int)size, text);
    } else if (now >= warm) {
        if (ended == capacity) latencies = realloc(latencies, (capacity *= 2) * sizeof *latencies);
        latencies[ended++] = now - from->sent[get(header + 16, 8) % RING];
    }
    ask(from);
}

// The frames of a bundle, one behind the other.
static void read_bundle(struct connection *from, const char *at, size_t size) {
    while (size >= HEADER) {
        const uint8_t *header = (const uint8_t *)at;
        size_t length = get(header + 24, 4);
        if (length > size - HEADER) break;
        if (header[5] == END) end_query(from, header, at + HEADER, length);
        at += HEADER + length;
        size -= HEADER + length;
    }
}

int main(int count, char **arguments) {
    if (count != 7) return fprintf(stderr, "usage: load ENDPOINT CONNECTIONS IN_FLIGHT SECONDS BYTES DURABILITY\n"), 2;
    int connections = atoi(arguments[2]), in_flight = atoi(arguments[3]);
    double seconds = atof(arguments[4]);
    body_size = make_request(body, (size_t)atoi(arguments[5]), arguments[6]);
    void *context = zmq_ctx_new();
    struct connection *all = calloc((size_t)connections, sizeof *all);
    zmq_pollitem_t *items = calloc((size_t)connections, sizeof *items);
    for (int i = 0; i < connections; i++) {
        open_session(&all[i], context, arguments[1]);
        items[i] = (zmq_pollitem_t){.socket = all[i].socket, .events = ZMQ_POLLIN};
    }
    for (int i = 0; i < connections; i++)
        for (int j = 0; j < in_flight; j++) ask(&all[i]);
    latencies = malloc(capacity * sizeof *latencies);
    int64_t begin = now_ns();
    warm = begin + (int64_t)(seconds * 1e9 / WARM_UP_DIVISOR);
    int64_t end = warm + (int64_t)(seconds * 1e9), now = begin;
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (now < end) {
        zmq_poll(items, connections, 100);
        for (int i = 0; i < connections; i++) {
            if (!(items[i].revents & ZMQ_POLLIN)) continue;
            struct connection *from = &all[i];
            // A bounded number, so that no connection starves the others.
            for (int n = 0; n < 64 && zmq_msg_recv(&message, from->socket, ZMQ_DONTWAIT) >= 0; n++) {
                uint8_t header[HEADER] = {0};
                if (zmq_msg_size(&message) >= HEADER) memcpy(header, zmq_msg_data(&message), HEADER);
                while (zmq_msg_more(&message)) zmq_msg_recv(&message, from->socket, 0);
                if (header[5] == PING) send_frame(from, PONG, 0, "", 0);
                if (header[5] == ERROR || header[5] == GOODBYE) return fprintf(stderr, "the session has ended\n"), 1;
                if (header[5] == END) end_query(from, header, zmq_msg_data(&message), get(header + 24, 4));
                if (header[5] == BUNDLE) read_bundle(from, zmq_msg_data(&message), zmq_msg_size(&message));
            }
        }
        now = now_ns();
    }
    print_result(ended, (now - warm) / 1e9, latencies, failed);
    for (int i = 0; i < connections; i++) {
        send_frame(&all[i], GOODBYE, 0, "", 0);
        zmq_close(all[i].socket);
    }
    zmq_ctx_term(context);
    return failed > 0;
}
