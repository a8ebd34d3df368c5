internal import CZeroMQ
internal import Glibc

/// An eventfd: any thread makes it readable, the loop's thread clears it.
struct WakeUp: ~Copyable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "no eventfd: error \(errno) (raise the limit with ulimit -n)")
    }

    deinit {
        close(descriptor)
    }

    func signal() {
        while eventfd_write(descriptor, 1) != 0, errno == EINTR {}
    }

    func clear() {
        var count: eventfd_t = 0
        while eventfd_read(descriptor, &count) != 0, errno == EINTR {}
    }
}
