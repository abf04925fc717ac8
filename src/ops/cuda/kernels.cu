// The engine's operations as kernels for NVIDIA's GPUs. What each computes is said, with shapes, by
// the function of its name in ops/mod.rs; `cpu` and `plain` compute the same.
//
// Sums are in f32 whatever the rows are in, and each in an order of its own, without atomics: the
// same bits on every run. scripts/kernels.sh makes kernels.ptx of this file and its parts.

#include <cuda_bf16.h>
#include <float.h>
#include <stdint.h>

typedef __nv_bfloat16 bf16;
typedef uint32_t u32;
typedef uint64_t u64;

static const u32 WARP = 32;
static const u32 EVERY_LANE = 0xffffffff;

__device__ inline float wide(float x) { return x; }
__device__ inline float wide(bf16 x) { return __bfloat162float(x); }
__device__ inline void narrow(float& y, float x) { y = x; }
__device__ inline void narrow(bf16& y, float x) { y = __float2bfloat16_rn(x); }

// Four neighbours, which go to memory and back as one word where they lie at a multiple of it.
struct Four {
  float at[4];
};

template <class T>
struct alignas(4 * sizeof(T)) Word {
  T at[4];
};

template <class T>
__device__ inline bool one_word(const T* x, u64 first, u64 count) {
  return first + 4 <= count && reinterpret_cast<uintptr_t>(x + first) % sizeof(Word<T>) == 0;
}

// The elements `first..first + 4` of `count`; 0 for those beyond.
template <class T>
__device__ inline Four load(const T* x, u64 first, u64 count) {
  Four four;
  if (one_word(x, first, count)) {
    Word<T> word = *reinterpret_cast<const Word<T>*>(x + first);
    for (int i = 0; i < 4; i++) four.at[i] = wide(word.at[i]);
  } else {
    for (int i = 0; i < 4; i++) four.at[i] = first + i < count ? wide(x[first + i]) : 0.0f;
  }
  return four;
}

template <class T>
__device__ inline void store(T* y, u64 first, u64 count, const Four& four) {
  if (one_word(y, first, count)) {
    Word<T> word;
    for (int i = 0; i < 4; i++) narrow(word.at[i], four.at[i]);
    *reinterpret_cast<Word<T>*>(y + first) = word;
  } else {
    for (int i = 0; i < 4; i++)
      if (first + i < count) narrow(y[first + i], four.at[i]);
  }
}

// The first element of this thread's four, where each thread has one four.
__device__ inline u64 own_four() { return 4 * ((u64)blockIdx.x * blockDim.x + threadIdx.x); }

template <class Number>
__device__ inline Number warp_sum(Number x) {
  for (u32 far = WARP / 2; far > 0; far /= 2) x += __shfl_xor_sync(EVERY_LANE, x, far);
  return x;
}

// The sum over the threads of a block of whole warps; every thread gets it.
template <class Number>
__device__ inline Number block_sum(Number x) {
  __shared__ Number parts[WARP];
  x = warp_sum(x);
  // What an earlier call left there has been read by all.
  __syncthreads();
  if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = x;
  __syncthreads();
  u32 lane = threadIdx.x % WARP;
  return warp_sum(lane < blockDim.x / WARP ? parts[lane] : Number(0));
}

// The greatest of some numbers, and the sum of exp(number − greatest).
struct Exponentials {
  float top;
  float sum;
};

__device__ inline Exponentials together(Exponentials a, Exponentials b) {
  float top = fmaxf(a.top, b.top);
  return {top, a.sum * expf(a.top - top) + b.sum * expf(b.top - top)};
}

__device__ inline Exponentials warp_exponentials(Exponentials x) {
  for (u32 far = WARP / 2; far > 0; far /= 2) {
    // Both lanes of a pair must come to the same bits, so the lower one's goes first.
    Exponentials other = {
        __shfl_xor_sync(EVERY_LANE, x.top, far), __shfl_xor_sync(EVERY_LANE, x.sum, far)};
    x = threadIdx.x & far ? together(other, x) : together(x, other);
  }
  return x;
}

// Those of scale × row[begin..end] over the block, in one pass; every thread gets them.
template <class T>
__device__ inline Exponentials exponentials(const T* row, u64 begin, u64 end, float scale) {
  // Not −∞, whose difference from itself is no number.
  Exponentials own = {-FLT_MAX, 0.0f};
  for (u64 first = begin / 4 * 4 + 4 * threadIdx.x; first < end; first += 4 * blockDim.x) {
    Four x = load(row, first, end);
    float top = own.top;
    for (int i = 0; i < 4; i++) {
      x.at[i] = first + i >= begin && first + i < end ? scale * x.at[i] : -INFINITY;
      top = fmaxf(top, x.at[i]);
    }
    own = {top, own.sum * expf(own.top - top)};
    for (int i = 0; i < 4; i++) own.sum += expf(x.at[i] - top);
  }
  __shared__ Exponentials parts[WARP];
  own = warp_exponentials(own);
  __syncthreads();
  if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = own;
  __syncthreads();
  u32 lane = threadIdx.x % WARP;
  Exponentials none = {-FLT_MAX, 0.0f};
  return warp_exponentials(lane < blockDim.x / WARP ? parts[lane] : none);
}

// AdamW, an element a thread, all in f32. `root` is that of the second mean's correction; `rate`
// has the first's in it.
extern "C" __global__ void adamw(
    const float* value, const float* gradient, const float* m, const float* v, float* new_value,
    float* new_m, float* new_v, u64 count, float factor, float b1, float b2, float rate,
    float decay, float root, float epsilon) {
  u64 at = (u64)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count) return;
  float g = gradient[at] * factor;
  float first = b1 * m[at] + (1.0f - b1) * g;
  float second = b2 * v[at] + (1.0f - b2) * g * g;
  new_m[at] = first;
  new_v[at] = second;
  new_value[at] = value[at] * decay - rate * first / (sqrtf(second) / root + epsilon);
}

// The kernels over rows and elements, for both types that a model computes in.
#define T float
#define NAMED(name) name##_f32
#include "rows.cuh"
#include "attention.cuh"
#undef T
#undef NAMED

#define T bf16
#define NAMED(name) name##_bf16
#include "rows.cuh"
#include "attention.cuh"
#undef T
#undef NAMED

#include "flash.cuh"
