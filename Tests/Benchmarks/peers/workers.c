// Workers that make a token a step for everything they have, as fast as the broker takes them, and the clients who ask.
//
//     workers WORKER_ENDPOINT FRONTEND_ENDPOINT WORKERS SEQUENCES TOKENS [KEY_FILE KEY_FILE]
//
// Each worker is a session of its own and reports each step of all its sequences as one message. Queries are asked over
// as many connections as the broker's limit on each asks for. The figure is tokens a second that the client has got, from the first to the last. Keys are for
// workers and for clients, as `aladdin keys new` writes them.
#include "clock.h"
#include "frames.h"

#include <aladdin/v1/frontend.pb-c.h>
#include <aladdin/v1/session.pb-c.h>
#include <aladdin/v1/worker.pb-c.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <zmq.h>

enum { MOST = 1024, CALLS = 256 };

struct worker {
    void *socket;
    uint64_t session, leases[MOST];
    uint32_t have, step;
};

static int sequences, tokens;
static atomic_int is_over;

static void send_frame(void *socket, int kind, int method, uint64_t session, uint64_t stream, const void *message) {
    static _Thread_local uint8_t body[1 << 20];
    uint8_t header[32] = {'A', 'L', 'D', 1, 0, (uint8_t)kind};
    size_t size = message ? protobuf_c_message_pack(message, body) : 0;
    put(header + 6, (uint64_t)method, 2);
    put(header + 8, session, 8);
    put(header + 16, stream, 8);
    put(header + 24, size, 4);
    zmq_send(socket, header, sizeof header, ZMQ_SNDMORE);
    zmq_send(socket, body, size, 0);
}

// Returns the frame's kind, or 0 if there is none.
static int receive(void *socket, uint8_t *header, zmq_msg_t *body, int flags) {
    if (zmq_recv(socket, header, 64, flags) < 32) return 0;
    int more = 0;
    size_t length = sizeof more;
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &length);
    if (more) zmq_msg_recv(body, socket, 0);
    return header[5];
}

static void use_key(void *socket, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) perror(path), exit(2);
    char line[256], word[32], value[64];
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%31s %63s", word, value) != 2) continue;
        int option = !strcmp(word, "public_key") ? ZMQ_CURVE_PUBLICKEY
                     : !strcmp(word, "secret_key") ? ZMQ_CURVE_SECRETKEY
                     : !strcmp(word, "server_key") ? ZMQ_CURVE_SERVERKEY : 0;
        if (option) zmq_setsockopt(socket, option, value, 41);
    }
    fclose(file);
}

static uint64_t open_session(void *socket, const char *endpoint, const char *key, int takes_bundles) {
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (key) use_key(socket, key);
    if (zmq_connect(socket, endpoint)) perror(endpoint), exit(2);
    Aladdin__V1__Hello hello = ALADDIN__V1__HELLO__INIT;
    hello.name = "bench";
    hello.takes_bundles = takes_bundles;
    send_frame(socket, HELLO, 0, 0, 0, &hello);
    uint8_t header[64];
    zmq_msg_t body;
    zmq_msg_init(&body);
    while (receive(socket, header, &body, 0) != WELCOME) {}
    return get(header + 8, 8);
}

static void tell(struct worker *worker, int kind, Aladdin__V1__WorkerReport__ReportCase which, void *what) {
    Aladdin__V1__WorkerReport report = ALADDIN__V1__WORKER_REPORT__INIT;
    report.report_case = which;
    report.registration = what;
    send_frame(worker->socket, kind, ALADDIN__V1__METHOD__METHOD_WORKER_WORK, worker->session, 1, &report);
}

static void enroll(struct worker *worker) {
    Aladdin__V1__Profile profile = ALADDIN__V1__PROFILE__INIT;
    profile.device = "none";
    profile.gpus = 1;
    profile.prefill_c1_ms = profile.decode_c3_ms = 0.1;
    profile.kv_capacity_tokens = profile.maximum_batched_tokens = profile.chunk_tokens = 10000000;
    profile.kv_block_tokens = 1;
    profile.maximum_sequences = (uint32_t)sequences;
    Aladdin__V1__Registration registration = ALADDIN__V1__REGISTRATION__INIT;
    registration.name = registration.engine = "bench";
    registration.model = "bench";
    registration.context_length = 100000;
    registration.batching = "chunked";
    registration.profile = &profile;
    tell(worker, CALL, ALADDIN__V1__WORKER_REPORT__REPORT_REGISTRATION, &registration);
    Aladdin__V1__Pull pull = ALADDIN__V1__PULL__INIT;
    pull.granted = (uint64_t)sequences;
    tell(worker, ITEM, ALADDIN__V1__WORKER_REPORT__REPORT_PULL, &pull);
}

static void hear(struct worker *worker) {
    uint8_t header[64];
    zmq_msg_t body;
    zmq_msg_init(&body);
    int kind;
    while ((kind = receive(worker->socket, header, &body, ZMQ_DONTWAIT))) {
        if (kind == PING) send_frame(worker->socket, PONG, 0, worker->session, 0, NULL);
        if (kind == ERROR || kind == GOODBYE || kind == END) fprintf(stderr, "a worker's session has ended\n"), exit(1);
        if (kind != ITEM) continue;
        Aladdin__V1__WorkerCommand *command =
            aladdin__v1__worker_command__unpack(NULL, zmq_msg_size(&body), zmq_msg_data(&body));
        if (command && command->command_case == ALADDIN__V1__WORKER_COMMAND__COMMAND_BATCH)
            for (size_t i = 0; i < command->batch->n_assignments; i++)
                worker->leases[worker->have++] = command->batch->assignments[i]->lease;
        if (command) aladdin__v1__worker_command__free_unpacked(command, NULL);
    }
    zmq_msg_close(&body);
}

// One token for each sequence, all in one message; with the last of them they are finished.
static void step(struct worker *worker) {
    static _Thread_local Aladdin__V1__Progress progress[MOST], *list[MOST];
    static _Thread_local Aladdin__V1__Tokens made[MOST];
    Aladdin__V1__Finished finished = ALADDIN__V1__FINISHED__INIT;
    Aladdin__V1__Workload workload = ALADDIN__V1__WORKLOAD__INIT;
    Aladdin__V1__StepReport report = ALADDIN__V1__STEP_REPORT__INIT;
    uint32_t id = 42;
    finished.reason = ALADDIN__V1__FINISH_REASON__FINISH_LENGTH;
    finished.input_tokens = 1;
    finished.output_tokens = (uint32_t)tokens;
    workload.kind = worker->step ? ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_DECODE : ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_MIXED;
    workload.prefill_tokens = worker->step ? 0 : worker->have;
    workload.decode_sequences = worker->step ? worker->have : 0;
    workload.context_tokens = worker->have * (uint64_t)worker->step;
    for (uint32_t i = 0; i < worker->have; i++) {
        aladdin__v1__tokens__init(&made[i]);
        made[i].first_index = worker->step;
        made[i].count = 1;
        made[i].n_ids = 1;
        made[i].ids = &id;
        made[i].text = " word";
        aladdin__v1__progress__init(&progress[i]);
        progress[i].lease = worker->leases[i];
        progress[i].tokens = &made[i];
        if (worker->step + 1 == (uint32_t)tokens) progress[i].finished = &finished;
        list[i] = &progress[i];
    }
    worker->step++;
    report.workload = &workload;
    report.duration_us = 100;
    report.n_progress = worker->have;
    report.progress = list;
    tell(worker, ITEM, ALADDIN__V1__WORKER_REPORT__REPORT_STEP, &report);
}

struct asked {
    const char *endpoint, *key;
    int queries;
    int64_t first, last;
    uint64_t heard, events, messages;
};

// Counts what a message brings; returns whether it ended a query.
static int count_frame(struct asked *asked, const uint8_t *header, const uint8_t *body) {
    int kind = header[5];
    size_t size = get(header + 24, 4);
    if (kind == ERROR || kind == GOODBYE) fprintf(stderr, "a client's session has ended\n"), exit(1);
    if (kind == END && size) fprintf(stderr, "a query failed: %.*s\n", (int)size, (const char *)body), exit(1);
    if (kind != ITEM || size < 2 || *body != 0x1a) return kind == END;
    Aladdin__V1__GenerateEvent *event = aladdin__v1__generate_event__unpack(NULL, size, body);
    if (!event) return 0;
    asked->last = now_ns();
    if (!asked->first) asked->first = asked->last;
    asked->heard += event->tokens->count;
    asked->events++;
    aladdin__v1__generate_event__free_unpacked(event, NULL);
    return 0;
}

// The same for a message, which may be many in one; returns how many queries ended.
static int count_tokens(struct asked *asked, const uint8_t *header, zmq_msg_t *message) {
    const uint8_t *body = zmq_msg_data(message), *end = body + zmq_msg_size(message);
    asked->messages++;
    if (header[5] != BUNDLE) return count_frame(asked, header, body);
    int ended = 0;
    for (; body < end; body += 32 + get(body + 24, 4)) ended += count_frame(asked, body, body + 32);
    return ended;
}

// Asks everything and counts tokens until all have ended.
static void *client(void *argument) {
    struct asked *asked = argument;
    void *context = zmq_ctx_new();
    int sessions = (asked->queries + CALLS - 1) / CALLS, limit = 0, left = asked->queries;
    zmq_pollitem_t *items = calloc((size_t)sessions, sizeof *items);
    uint64_t *numbers = calloc((size_t)sessions, sizeof *numbers);
    Aladdin__V1__Metadata durability = ALADDIN__V1__METADATA__INIT, *metadata[] = {&durability};
    durability.key = "x-aladdin-durability";
    durability.value = "volatile";
    Aladdin__V1__GenerateRequest request = ALADDIN__V1__GENERATE_REQUEST__INIT;
    request.input_case = ALADDIN__V1__GENERATE_REQUEST__INPUT_TEXT;
    request.text = "a";
    request.max_tokens = (uint32_t)tokens;
    request.metadata = metadata;
    request.n_metadata = 1;
    for (int i = 0; i < sessions; i++) {
        items[i] = (zmq_pollitem_t){.socket = zmq_socket(context, ZMQ_DEALER), .events = ZMQ_POLLIN};
        zmq_setsockopt(items[i].socket, ZMQ_RCVHWM, &limit, sizeof limit);
        numbers[i] = open_session(items[i].socket, asked->endpoint, asked->key, 1);
    }
    for (int i = 0; i < asked->queries; i++)
        send_frame(items[i / CALLS].socket, CALL, 1, numbers[i / CALLS], (uint64_t)(i % CALLS) + 1, &request);
    uint8_t header[64];
    zmq_msg_t body;
    zmq_msg_init(&body);
    while (left > 0) {
        zmq_poll(items, sessions, -1);
        for (int i = 0; i < sessions; i++)
            for (int n = 0, kind; n < 256 && (kind = receive(items[i].socket, header, &body, ZMQ_DONTWAIT)); n++) {
                if (kind == PING) send_frame(items[i].socket, PONG, 0, numbers[i], 0, NULL);
                left -= count_tokens(asked, header, &body);
            }
    }
    is_over = 1;
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 6 && count != 8) return fprintf(stderr, "usage: see the first lines of workers.c\n"), 2;
    int workers = atoi(arguments[3]), placed = 0;
    sequences = atoi(arguments[4]);
    tokens = atoi(arguments[5]);
    if (sequences > MOST) return 2;
    void *context = zmq_ctx_new();
    struct worker *all = calloc((size_t)workers, sizeof *all);
    for (int i = 0; i < workers; i++) {
        int limit = 8; // messages: what it would send ahead of the broker says nothing
        all[i].socket = zmq_socket(context, ZMQ_DEALER);
        zmq_setsockopt(all[i].socket, ZMQ_SNDHWM, &limit, sizeof limit);
        all[i].session = open_session(all[i].socket, arguments[1], count == 8 ? arguments[6] : NULL, 0);
        enroll(&all[i]);
    }
    struct timespec pause = {.tv_nsec = 300000000}; // until the scheduler knows all of them
    nanosleep(&pause, NULL);
    struct asked asked = {.endpoint = arguments[2], .key = count == 8 ? arguments[7] : NULL, .queries = workers * sequences};
    pthread_t thread;
    pthread_create(&thread, NULL, client, &asked);
    while (placed < workers * sequences) {
        placed = 0;
        for (int i = 0; i < workers; i++) hear(&all[i]), placed += (int)all[i].have;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int n = 0; n < tokens; n++)
        for (int i = 0; i < workers; i++) hear(&all[i]), step(&all[i]);
    while (!is_over) {
        for (int i = 0; i < workers; i++) hear(&all[i]);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(thread, NULL);
    printf("{\"tokens_per_s\": %.0f, \"tokens\": %llu, \"events\": %llu, \"messages\": %llu, \"seconds\": %.3f}\n",
           asked.heard / ((asked.last - asked.first) / 1e9), (unsigned long long)asked.heard,
           (unsigned long long)asked.events, (unsigned long long)asked.messages, (asked.last - asked.first) / 1e9);
    fflush(stdout);
    _exit(0);
}
