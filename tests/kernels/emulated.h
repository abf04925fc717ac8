// A block of GPU threads on a CPU: as much of CUDA as flash.cuh uses. Each thread is a fiber; they
// go on in random order, a warp may be far ahead of another, and copies to shared memory are done as
// early or as late as the program lets them be. So a barrier or a wait that is missing shows.

#pragma once
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#define EMULATED
#define __device__
#define __global__
#define __launch_bounds__(threads)
#define __shared__ static
using std::max;
using std::min;

struct bf16 {
  uint16_t bits;
};

struct __nv_bfloat162 {
  bf16 low, high;
};

typedef uint32_t u32;
typedef uint64_t u64;
static const u32 WARP = 32;
static const u32 EVERY_LANE = 0xffffffff;

inline float wide(bf16 x) {
  u32 bits = (u32)x.bits << 16;
  float y;
  memcpy(&y, &bits, 4);
  return y;
}

// To nearest, ties to even.
inline bf16 rounded(float x) {
  u32 bits;
  memcpy(&bits, &x, 4);
  return {(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

inline __nv_bfloat162 __floats2bfloat162_rn(float low, float high) {
  return {rounded(low), rounded(high)};
}

struct Place {
  u32 x;
};
static Place threadIdx, blockIdx, gridDim;

namespace machine {

struct Copy {
  bf16* to;
  const bf16* from;
  bool there;
};

struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(1 << 17);
  bool ended = false;
  // Barriers of the block and of the warp that it has come to.
  u64 block = 0, warp = 0;
  // Copies that are open, and groups of them that are closed and not there yet.
  std::vector<Copy> open;
  std::vector<std::vector<Copy>> closed;
};

static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static std::mt19937 order;
static bool early;
static std::function<void()> body;

inline Fiber& own() { return fibers[threadIdx.x]; }

inline void stop() {
  u32 thread = threadIdx.x;
  swapcontext(&fibers[thread].context, &scheduler);
}

inline void enter() {
  body();
  own().ended = true;
  stop();
}

// Until each of the threads `first..first + count` has come as far.
inline void meet(u64 Fiber::*counter, u32 first, u32 count) {
  u64 mine = ++(own().*counter);
  auto behind = [&](const Fiber& other) { return other.*counter < mine; };
  while (std::any_of(fibers.begin() + first, fibers.begin() + first + count, behind)) stop();
}

inline void warp_meets() { meet(&Fiber::warp, threadIdx.x / WARP * WARP, WARP); }

// What each lane of a warp gives, for all of them to read until they give the next.
template <class T>
inline const T* exchange(const T& given) {
  static T gifts[32][2][WARP];
  T(*warp)[WARP] = gifts[threadIdx.x / WARP];
  u64 turn = own().warp % 2;
  warp[turn][threadIdx.x % WARP] = given;
  warp_meets();
  return warp[turn];
}

inline void copy(const Copy& copy) {
  if (copy.there)
    memcpy(copy.to, copy.from, 16);
  else
    memset(copy.to, 0, 16);
}

inline void run(u32 blocks, u32 threads, bool copies_early, std::function<void()> kernel) {
  body = kernel;
  early = copies_early;
  gridDim.x = blocks;
  for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
    fibers.clear();
    fibers.resize(threads);
    for (Fiber& fiber : fibers) {
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      makecontext(&fiber.context, enter, 0);
    }
    // One warp goes on alone for some time, then another: so one may be far ahead.
    auto came_to = [](const Fiber& fiber) { return fiber.block + fiber.warp + fiber.ended; };
    for (auto going = [](const Fiber& fiber) { return !fiber.ended; };
         std::any_of(fibers.begin(), fibers.end(), going);) {
      u32 first = order() % (threads / WARP) * WARP;
      u64 before = 0, after = 1;
      for (u32 turns = order() % 512; turns > 0 && after != before; turns--) {
        before = after;
        u32 lanes[WARP];
        for (u32 lane = 0; lane < WARP; lane++) lanes[lane] = lane;
        std::shuffle(lanes, lanes + WARP, order);
        after = 0;
        for (u32 lane : lanes) {
          threadIdx.x = first + lane;
          Fiber& fiber = fibers[threadIdx.x];
          if (!fiber.ended) swapcontext(&scheduler, &fiber.context);
          after += came_to(fiber);
        }
      }
    }
  }
}

}  // namespace machine

inline void __syncthreads() {
  machine::meet(&machine::Fiber::block, 0, (u32)machine::fibers.size());
}

template <class T>
inline T __shfl_xor_sync(u32, T x, u32 far) {
  u32 lane = threadIdx.x % WARP;
  return machine::exchange(x)[lane ^ far];
}

inline void copy16(bf16* to, const bf16* from, bool there) {
  if ((uintptr_t)to % 16 != 0 || (there && (uintptr_t)from % 16 != 0)) abort();
  machine::Copy copy = {to, from, there};
  if (machine::early) machine::copy(copy);
  machine::own().open.push_back(copy);
}

inline void close_copies() {
  machine::Fiber& own = machine::own();
  own.closed.push_back(own.open);
  own.open.clear();
}

template <int COUNT>
inline void await_copies() {
  auto& closed = machine::own().closed;
  while (closed.size() > COUNT) {
    for (auto& copy : closed.front()) machine::copy(copy);
    closed.erase(closed.begin());
  }
}

inline void load_matrices(u32 (&to)[4], const bf16* row) {
  if ((uintptr_t)row % 16 != 0) abort();
  u32 lane = threadIdx.x % WARP;
  const bf16* const* rows = machine::exchange(row);
  for (u32 matrix = 0; matrix < 4; matrix++)
    memcpy(&to[matrix], rows[8 * matrix + lane / 4] + 2 * (lane % 4), 4);
}

inline void load_transposed(u32 (&to)[4], const bf16* row) {
  if ((uintptr_t)row % 16 != 0) abort();
  u32 lane = threadIdx.x % WARP;
  const bf16* const* rows = machine::exchange(row);
  for (u32 matrix = 0; matrix < 4; matrix++) {
    bf16 pair[2];
    for (u32 i = 0; i < 2; i++) pair[i] = rows[8 * matrix + 2 * (lane % 4) + i][lane / 4];
    memcpy(&to[matrix], pair, 4);
  }
}

struct Factors {
  u32 a[4], b[2];
};

// The lane that holds an element, its register, and which half of it.
inline float element(u32 word, u32 half) { return wide(bf16{(uint16_t)(word >> 16 * half)}); }

inline void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  u32 lane = threadIdx.x % WARP;
  const Factors* warp = machine::exchange(Factors{{a[0], a[1], a[2], a[3]}, {b0, b1}});
  for (u32 at = 0; at < 4; at++) {
    u32 row = lane / 4 + at / 2 * 8, column = 2 * (lane % 4) + at % 2;
    for (u32 k = 0; k < 16; k++) {
      float left = element(warp[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k % 2);
      float right = element(warp[column * 4 + k % 8 / 2].b[k / 8], k % 2);
      sum[at] += left * right;
    }
  }
}
