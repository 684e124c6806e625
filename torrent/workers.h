#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rqfs::torrent {

// Runs blocking functions off the engine thread: the only place in the program where threads share anything.
//
// Two lanes, so that a slow fsync never holds up a hash. A function gets values and returns a value; it never sees engine
// state. An exception it throws is thrown by run(). Cancelling a coroutine that waits in run() does not stop the function; the coroutine
// goes on when it has ended, so that what it works on may live in the coroutine's frame.
class Workers {
public:
    enum class Lane { hash, disk };

    Workers();  // min(cores, 4) threads that hash, 4 for the disk
    // No threads: both lanes run on this executor, the engine's, between what else it does. For virtual time, which then never passes
    // while somebody works; what it runs holds up the engine.
    explicit Workers(boost::asio::any_io_executor const& engine);
    Workers(Workers const&) = delete;
    Workers& operator=(Workers const&) = delete;
    ~Workers();  // waits for what still runs on threads

    template <class Function, class... Args>
    auto run(Lane lane, Function&& function, Args&&... args) {
        using Value = std::invoke_result_t<std::decay_t<Function>, std::decay_t<Args>...>;
        // The closure is made here, outside any coroutine: GCC 12 destroys closures inside a co_await expression twice.
        auto work = std::make_unique<Job<Value>>();
        work->call = [f = std::decay_t<Function>(std::forward<Function>(function)),
                      a = std::make_tuple(std::decay_t<Args>(std::forward<Args>(args))...)]() mutable {
            return std::apply(std::move(f), std::move(a));
        };
        return perform<Value>(lane, std::move(work));
    }

private:
    // A callable that may hold move-only values; std::move_only_function is C++23.
    template <class Value>
    class Call {
    public:
        Call() = default;
        template <class F>
        Call& operator=(F&& f) {
            made_ = std::make_unique<Model<std::decay_t<F>>>(std::forward<F>(f));
            return *this;
        }
        Value operator()() { return made_->call(); }
        void reset() { made_.reset(); }

    private:
        struct Concept {
            virtual ~Concept() = default;
            virtual Value call() = 0;
        };
        template <class F>
        struct Model final : Concept {
            explicit Model(F f) : function(std::move(f)) {}
            Value call() override { return function(); }
            F function;
        };
        std::unique_ptr<Concept> made_;
    };

    class JobBase {
    public:
        virtual ~JobBase() = default;
        void run() noexcept;
        std::exception_ptr failure;

    private:
        virtual void invoke() = 0;
    };

    template <class Value>
    struct Job final : JobBase {
        Call<Value> call;
        std::optional<std::conditional_t<std::is_void_v<Value>, bool, Value>> result;

        void invoke() override {
            if constexpr (std::is_void_v<Value>)
                call();
            else
                result.emplace(call());
            call.reset();
        }
    };

    // Runs the job on its lane; returns to the engine when it has ended.
    boost::asio::awaitable<void> finish(Lane lane, JobBase* job);

    template <class Value>
    boost::asio::awaitable<Value> perform(Lane lane, std::unique_ptr<Job<Value>> work) {
        co_await finish(lane, work.get());
        if (work->failure) std::rethrow_exception(work->failure);
        if constexpr (!std::is_void_v<Value>) co_return std::move(*work->result);
    }

    std::optional<boost::asio::thread_pool> hash_threads_;
    std::optional<boost::asio::thread_pool> disk_threads_;
    boost::asio::any_io_executor hash_;
    boost::asio::any_io_executor disk_;
};

}  // namespace rqfs::torrent
