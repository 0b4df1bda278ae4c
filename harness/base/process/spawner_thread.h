// PR_SET_PDEATHSIG means the death of the thread that forked, not of its process
// (prctl(2)). So one thread that lives as long as the process forks for all others.
#pragma once

#include <functional>

namespace kassay {

// Runs `task` there and waits for it. Thread-safe.
void OnSpawnerThread(const std::function<void()>& task);

}  // namespace kassay
