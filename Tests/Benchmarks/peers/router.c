// The least that a broker on raw libzmq does: it forwards clients' messages to a worker and the worker's back.
//
//     router broker FRONTEND BACKEND
//     router worker BACKEND
//
// Two ROUTER sockets, messages moved without a copy, as many as are there at each poll. It answers HELLO with WELCOME,
// which load.c wants; it queues nothing, knows no sessions, loses what nobody takes. The worker answers each message
// with END and as many bytes.
#include "clock.h"

#include <string.h>
#include <zmq.h>

enum { HELLO = 1, WELCOME = 2, CALL = 8, END = 10, BURST = 256 };

static void *bind_router(void *context, const char *endpoint) {
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    int limit = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &limit, sizeof limit);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &limit, sizeof limit);
    if (zmq_bind(socket, endpoint)) perror(endpoint), exit(2);
    return socket;
}

// From a client: [client, header, body] becomes [worker, client, header, body].
static void to_worker(void *frontend, void *backend, const char *worker, size_t worker_size) {
    for (int i = 0; i < BURST; i++) {
        zmq_msg_t client, header, body;
        zmq_msg_init(&client), zmq_msg_init(&header), zmq_msg_init(&body);
        if (zmq_msg_recv(&client, frontend, ZMQ_DONTWAIT) < 0) break;
        zmq_msg_recv(&header, frontend, 0);
        if (zmq_msg_more(&header)) zmq_msg_recv(&body, frontend, 0);
        uint8_t *bytes = zmq_msg_data(&header);
        if (bytes[5] == HELLO) {
            bytes[5] = WELCOME;
            bytes[8] = 1;
            zmq_msg_send(&client, frontend, ZMQ_SNDMORE);
            zmq_msg_send(&header, frontend, ZMQ_SNDMORE);
            zmq_msg_send(&body, frontend, 0);
        } else if (bytes[5] == CALL && worker_size) {
            zmq_send(backend, worker, worker_size, ZMQ_SNDMORE);
            zmq_msg_send(&client, backend, ZMQ_SNDMORE);
            zmq_msg_send(&header, backend, ZMQ_SNDMORE);
            zmq_msg_send(&body, backend, 0);
        }
        zmq_msg_close(&client), zmq_msg_close(&header), zmq_msg_close(&body);
    }
}

static void broker(void *context, const char *front, const char *back) {
    void *frontend = bind_router(context, front), *backend = bind_router(context, back);
    char worker[256];
    size_t worker_size = 0;
    zmq_pollitem_t items[] = {{.socket = frontend, .events = ZMQ_POLLIN}, {.socket = backend, .events = ZMQ_POLLIN}};
    for (;;) {
        zmq_poll(items, 2, -1);
        if (items[1].revents & ZMQ_POLLIN)
            for (int i = 0; i < BURST; i++) {
                int size = zmq_recv(backend, worker, sizeof worker, ZMQ_DONTWAIT);
                if (size < 0) break;
                worker_size = (size_t)size;
                zmq_msg_t part;
                zmq_msg_init(&part);
                zmq_msg_recv(&part, backend, 0);
                int is_ready = !zmq_msg_more(&part); // a worker's first message has one frame
                while (!is_ready) {
                    int more = zmq_msg_more(&part);
                    zmq_msg_send(&part, frontend, more ? ZMQ_SNDMORE : 0);
                    if (!more) break;
                    zmq_msg_recv(&part, backend, 0);
                }
                zmq_msg_close(&part);
            }
        if (items[0].revents & ZMQ_POLLIN) to_worker(frontend, backend, worker, worker_size);
    }
}

static void worker(void *context, const char *back) {
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_connect(socket, back);
    zmq_send(socket, "ready", 5, 0);
    zmq_msg_t client, header, body;
    zmq_msg_init(&client), zmq_msg_init(&header), zmq_msg_init(&body);
    while (zmq_msg_recv(&client, socket, 0) >= 0) {
        zmq_msg_recv(&header, socket, 0);
        zmq_msg_recv(&body, socket, 0);
        uint8_t *bytes = zmq_msg_data(&header);
        bytes[5] = END;
        memset(bytes + 24, 0, 4); // load.c takes a length for a failure
        zmq_msg_send(&client, socket, ZMQ_SNDMORE);
        zmq_msg_send(&header, socket, ZMQ_SNDMORE);
        zmq_msg_send(&body, socket, 0);
    }
}

int main(int count, char **arguments) {
    void *context = zmq_ctx_new();
    if (count == 4 && !strcmp(arguments[1], "broker")) broker(context, arguments[2], arguments[3]);
    else if (count == 3 && !strcmp(arguments[1], "worker")) worker(context, arguments[2]);
    else return fprintf(stderr, "usage: router broker FRONTEND BACKEND | router worker BACKEND\n"), 2;
}
