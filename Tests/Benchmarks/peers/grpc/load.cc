// A closed loop of gRPC calls on one channel: `load ADDRESS unary|stream IN_FLIGHT SECONDS BYTES`.
#include "answer.grpc.pb.h"

#include "../clock.h"

#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <vector>

struct Call {
    grpc::ClientContext context;
    bench::Answer answer;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<bench::Answer>> unary;
    std::unique_ptr<grpc::ClientAsyncReader<bench::Answer>> stream;
    int64_t sent = now_ns();
    bool isFinishing = false;
};

int main(int count, char **arguments) {
    if (count != 6) return fprintf(stderr, "usage: load ADDRESS unary|stream IN_FLIGHT SECONDS BYTES\n"), 2;
    bool streams = std::string(arguments[2]) == "stream";
    double seconds = atof(arguments[4]);
    auto stub = bench::Answering::NewStub(grpc::CreateChannel(arguments[1], grpc::InsecureChannelCredentials()));
    grpc::CompletionQueue queue;
    bench::Question question;
    question.set_text(std::string(atoi(arguments[5]), 'a'));
    question.set_max_tokens(1);
    auto ask = [&] {
        auto *call = new Call;
        call->context.set_wait_for_ready(true);
        if (streams) {
            call->stream = stub->AsyncStream(&call->context, question, &queue, call);
        } else {
            call->unary = stub->AsyncAsk(&call->context, question, &queue);
            call->isFinishing = true;
            call->unary->Finish(&call->answer, &call->status, call);
        }
    };
    for (int i = 0; i < atoi(arguments[3]); i++) ask();
    int64_t warm = now_ns() + int64_t(seconds * 1e9 / 5), end = warm + int64_t(seconds * 1e9), now = 0;
    std::vector<int64_t> latencies;
    size_t failed = 0;
    void *tag;
    bool isFine;
    while (now < end && queue.Next(&tag, &isFine)) {
        auto *call = static_cast<Call *>(tag);
        now = now_ns();
        if (call->isFinishing) {
            if (!call->status.ok()) failed++;
            else if (now >= warm) latencies.push_back(now - call->sent);
            delete call;
            ask();
        } else if (isFine) {
            call->stream->Read(&call->answer, call);
        } else {
            call->isFinishing = true;
            call->stream->Finish(&call->status, call);
        }
    }
    print_result(latencies.size(), (now - warm) / 1e9, latencies.data(), failed);
    _exit(failed > 0);
}
