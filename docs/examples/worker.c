// A worker whose model counts: its answer to anything is "1 2 3 …", one number a step, for several queries at once.
//
//     MESSAGES=Sources/CAladdinMessages
//     cc -O2 -I$MESSAGES/include -o build/worker docs/examples/worker.c $MESSAGES/aladdin/v1/*.c -lzmq -lprotobuf-c
//     build/worker [ENDPOINT [MODEL [KEY-FILE]]]
#include "frames.h"

#include <aladdin/v1/frontend.pb-c.h>
#include <aladdin/v1/worker.pb-c.h>
#include <signal.h>

enum { STEP_MS = 50, ROOM = 8, KV_TOKENS = 32768 };

struct sequence {
    uint64_t lease; // 0 for a free place
    uint32_t index, limit;
};

static struct sequence running[ROOM];
static uint64_t session, taken; // taken: queries since the registration
static volatile sig_atomic_t stopping;

static void stop(int number) {
    (void)number;
    stopping = 1;
}

static int load(void) {
    int count = 0;
    for (int i = 0; i < ROOM; i++) count += running[i].lease != 0;
    return count;
}

static void report(void *socket, int kind, Aladdin__V1__WorkerReport__ReportCase which, void *what) {
    Aladdin__V1__WorkerReport report = ALADDIN__V1__WORKER_REPORT__INIT;
    report.report_case = which;
    report.registration = what; // all members of the oneof share their place
    send_frame(socket, kind, ALADDIN__V1__METHOD__METHOD_WORKER_WORK, session, 1, &report);
}

static void enroll(void *socket, char *model) {
    Aladdin__V1__Profile profile = ALADDIN__V1__PROFILE__INIT;
    profile.device = "abacus";
    profile.gpus = 1;
    profile.prefill_c1_ms = profile.decode_c3_ms = STEP_MS;
    profile.kv_capacity_tokens = profile.maximum_batched_tokens = profile.chunk_tokens = KV_TOKENS;
    profile.kv_block_tokens = 1;
    profile.maximum_sequences = ROOM;
    Aladdin__V1__Registration registration = ALADDIN__V1__REGISTRATION__INIT;
    registration.name = registration.engine = "abacus";
    registration.model = model;
    registration.context_length = KV_TOKENS / ROOM;
    registration.resumes_prefix = 1;
    registration.batching = "chunked";
    registration.profile = &profile;
    report(socket, ALADDIN__V1__FRAME_KIND__FRAME_CALL, ALADDIN__V1__WORKER_REPORT__REPORT_REGISTRATION, &registration);
}

static void take(const Aladdin__V1__Assignment *given) {
    Aladdin__V1__GenerateRequest *request =
        aladdin__v1__generate_request__unpack(NULL, given->request.len, given->request.data);
    taken++;
    // The broker never sends more than was asked for, so there is a free place.
    for (int i = 0; request && i < ROOM; i++) {
        if (running[i].lease) continue;
        running[i] = (struct sequence){given->lease, (uint32_t)given->n_resumed_ids, request->max_tokens};
        break;
    }
    if (request) aladdin__v1__generate_request__free_unpacked(request, NULL);
}

static void obey(struct frame *frame) {
    Aladdin__V1__WorkerCommand *command = aladdin__v1__worker_command__unpack(NULL, BODY(*frame));
    if (!command) return;
    if (command->command_case == ALADDIN__V1__WORKER_COMMAND__COMMAND_BATCH)
        for (size_t i = 0; i < command->batch->n_assignments; i++) take(command->batch->assignments[i]);
    if (command->command_case == ALADDIN__V1__WORKER_COMMAND__COMMAND_CANCEL)
        for (size_t i = 0; i < command->cancel->n_leases; i++)
            for (int j = 0; j < ROOM; j++)
                if (running[j].lease == command->cancel->leases[i]) running[j].lease = 0;
    aladdin__v1__worker_command__free_unpacked(command, NULL);
}

// One step: a token for every sequence, all in one report.
static void step(void *socket) {
    Aladdin__V1__Workload workload = ALADDIN__V1__WORKLOAD__INIT;
    Aladdin__V1__StepReport step = ALADDIN__V1__STEP_REPORT__INIT;
    Aladdin__V1__Progress progress[ROOM], *list[ROOM];
    Aladdin__V1__Tokens tokens[ROOM];
    Aladdin__V1__Finished finished[ROOM];
    uint32_t ids[ROOM];
    char texts[ROOM][16];
    workload.kind = ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_DECODE;
    for (int i = 0; i < ROOM; i++) {
        struct sequence *sequence = &running[i];
        if (!sequence->lease) continue;
        size_t n = step.n_progress++;
        workload.decode_sequences++;
        workload.context_tokens += sequence->index;
        snprintf(texts[n], sizeof texts[n], sequence->index ? " %u" : "%u", sequence->index + 1);
        ids[n] = sequence->index + 1;
        aladdin__v1__tokens__init(&tokens[n]);
        tokens[n].first_index = sequence->index++;
        tokens[n].count = 1;
        tokens[n].n_ids = 1;
        tokens[n].ids = &ids[n];
        tokens[n].text = texts[n];
        aladdin__v1__progress__init(&progress[n]);
        progress[n].lease = sequence->lease;
        progress[n].tokens = &tokens[n];
        list[n] = &progress[n];
        if (sequence->index < sequence->limit) continue;
        aladdin__v1__finished__init(&finished[n]); // goes with the last token
        finished[n].reason = ALADDIN__V1__FINISH_REASON__FINISH_LENGTH;
        finished[n].input_tokens = 1;
        finished[n].output_tokens = sequence->index;
        progress[n].finished = &finished[n];
        sequence->lease = 0;
    }
    step.workload = &workload;
    step.duration_us = STEP_MS * 1000;
    step.progress = list;
    step.free_kv_tokens = KV_TOKENS - workload.context_tokens;
    if (step.n_progress)
        report(socket, ALADDIN__V1__FRAME_KIND__FRAME_ITEM, ALADDIN__V1__WORKER_REPORT__REPORT_STEP, &step);
    Aladdin__V1__Pull pull = ALADDIN__V1__PULL__INIT;
    Aladdin__V1__Drain drain = ALADDIN__V1__DRAIN__INIT;
    pull.granted = taken + (uint64_t)(ROOM - load()); // a total since the registration: saying it again does no harm
    if (stopping) report(socket, ALADDIN__V1__FRAME_KIND__FRAME_ITEM, ALADDIN__V1__WORKER_REPORT__REPORT_DRAIN, &drain);
    else report(socket, ALADDIN__V1__FRAME_KIND__FRAME_ITEM, ALADDIN__V1__WORKER_REPORT__REPORT_PULL, &pull);
}

// One session; what it held is void when it ends.
static void serve(void *socket, char *model) {
    memset(running, 0, sizeof running);
    session = taken = 0;
    struct frame frame = {0};
    zmq_msg_init(&frame.body);
    int64_t heard = now_ms();
    int is_over = 0;
    while (!is_over && now_ms() < heard + 5000 && !(stopping && load() == 0)) {
        int64_t step_end = now_ms() + STEP_MS; // a real worker would compute until then
        while (!is_over && receive_frame(socket, &frame, step_end - now_ms())) {
            heard = now_ms();
            switch (frame.kind) {
            case ALADDIN__V1__FRAME_KIND__FRAME_WELCOME:
                session = frame.session;
                enroll(socket, model);
                break;
            case ALADDIN__V1__FRAME_KIND__FRAME_PING: // answering keeps the session alive
                send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_PONG, 0, session, 0, NULL);
                break;
            case ALADDIN__V1__FRAME_KIND__FRAME_ITEM:
                obey(&frame);
                break;
            case ALADDIN__V1__FRAME_KIND__FRAME_END:
            case ALADDIN__V1__FRAME_KIND__FRAME_ERROR:
            case ALADDIN__V1__FRAME_KIND__FRAME_GOODBYE:
                print_status(&frame);
                is_over = 1;
                break;
            }
        }
        if (session && !is_over) step(socket);
    }
    if (!is_over) send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_GOODBYE, 0, session, 0, NULL);
    zmq_msg_close(&frame.body);
}

int main(int count, char **arguments) {
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    void *context = zmq_ctx_new();
    while (!stopping) {
        const char *endpoint = count > 1 ? arguments[1] : "tcp://127.0.0.1:5551";
        void *socket = greet(context, endpoint, count > 3 ? arguments[3] : NULL, "worker.c/1", "abacus");
        serve(socket, count > 2 ? arguments[2] : "abacus");
        zmq_close(socket);
    }
    zmq_ctx_term(context);
    return 0;
}
