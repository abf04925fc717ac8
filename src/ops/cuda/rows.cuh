// What is done element by element, or row by row, in one pass over memory. A part of kernels.cu.

// A block a row, as long as the kernel's name speaks of rows or norms; else a thread a four.
extern "C" __global__ void NAMED(rms_norm)(
    const T* x, const T* weight, T* y, u64 width, float eps) {
  x += blockIdx.x * width;
  y += blockIdx.x * width;
  float squares = 0.0f;
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x) {
    Four own = load(x, first, width);
    for (int i = 0; i < 4; i++) squares += own.at[i] * own.at[i];
  }
  float inverse = rsqrtf(block_sum(squares) / width + eps);
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x) {
    Four own = load(x, first, width), gain = load(weight, first, width);
    for (int i = 0; i < 4; i++) own.at[i] *= inverse * gain.at[i];
    store(y, first, width, own);
  }
}

// `onto` may be null.
extern "C" __global__ void NAMED(rms_norm_backward)(
    const T* x, const T* weight, const T* dy, const T* onto, T* dx, u64 width, float eps) {
  u64 row = blockIdx.x * width;
  x += row;
  dy += row;
  dx += row;
  float squares = 0.0f, products = 0.0f;
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x) {
    Four own = load(x, first, width), gain = load(weight, first, width);
    Four d = load(dy, first, width);
    for (int i = 0; i < 4; i++) {
      squares += own.at[i] * own.at[i];
      products += own.at[i] * gain.at[i] * d.at[i];
    }
  }
  float inverse = rsqrtf(block_sum(squares) / width + eps);
  float along = block_sum(products) * inverse * inverse / width;
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x) {
    Four own = load(x, first, width), gain = load(weight, first, width);
    Four d = load(dy, first, width), sum = {};
    if (onto) sum = load(onto + row, first, width);
    for (int i = 0; i < 4; i++)
      sum.at[i] += inverse * (d.at[i] * gain.at[i] - own.at[i] * along);
    store(dx, first, width, sum);
  }
}

// 1 / rms of each row, f32.
extern "C" __global__ void NAMED(inverse_rms)(const T* x, float* inverse, u64 width, float eps) {
  x += blockIdx.x * width;
  float squares = 0.0f;
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x) {
    Four own = load(x, first, width);
    for (int i = 0; i < 4; i++) squares += own.at[i] * own.at[i];
  }
  squares = block_sum(squares);
  if (threadIdx.x == 0) inverse[blockIdx.x] = rsqrtf(squares / width + eps);
}

// Sums of stretches of rows, `[stretches, width]`: a thread a column, a grid row a stretch.
extern "C" __global__ void NAMED(rms_norm_dweight)(
    const T* x, const T* dy, const float* inverse, float* sums, u64 rows, u64 stretch, u64 width) {
  u64 column = (u64)blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= width) return;
  float sum = 0.0f;
  for (u64 row = blockIdx.y * stretch; row < min((blockIdx.y + 1) * stretch, rows); row++)
    sum += wide(dy[row * width + column]) * wide(x[row * width + column]) * inverse[row];
  sums[blockIdx.y * width + column] = sum;
}

// Four pairs of elements (i, i + half) of one head, i from `i` on, turned by the angles in `cos` and
// `sin`, which begin with the token's; the way that `way` says, 1 or −1. Without `cos`, none is.
__device__ inline void NAMED(turn)(
    const T* from, const float* cos, const float* sin, T* to, u32 i, u32 half, float way) {
  Four low = load(from, i, half), high = load(from + half, i, half);
  if (cos) {
    Four c = load(cos, i, half), s = load(sin, i, half);
    for (int k = 0; k < 4; k++) {
      float turned = low.at[k] * c.at[k] - way * high.at[k] * s.at[k];
      high.at[k] = high.at[k] * c.at[k] + way * low.at[k] * s.at[k];
      low.at[k] = turned;
    }
  }
  store(to, i, half, low);
  store(to + half, i, half, high);
}

// `[batch, time, heads, width]` to `[batch, heads, time, width]`, four pairs a thread: `count`
// threads, as many for each head as its half has fours.
extern "C" __global__ void NAMED(split_heads)(
    const T* x, const float* cos, const float* sin, T* y, u32 count, u32 time, u32 heads,
    u32 width) {
  u32 at = blockIdx.x * blockDim.x + threadIdx.x, half = width / 2, fours = (half + 3) / 4;
  if (at >= count) return;
  u32 head = at / fours, token = head / time / heads * time + head % time;
  const T* from = x + (u64)(token * heads + head / time % heads) * width;
  u64 angle = cos ? (u64)token * half : 0;
  T* to = y + (u64)head * width;
  NAMED(turn)(from, cos ? cos + angle : cos, sin + angle, to, at % fours * 4, half, 1.0f);
}

// The inverse, and so the gradient, of `split_heads`.
extern "C" __global__ void NAMED(merge_heads)(
    const T* x, const float* cos, const float* sin, T* y, u32 count, u32 time, u32 heads,
    u32 width) {
  u32 at = blockIdx.x * blockDim.x + threadIdx.x, half = width / 2, fours = (half + 3) / 4;
  if (at >= count) return;
  u32 head = at / fours, token = head / heads;
  const T* from = x + ((u64)(token / time * heads + head % heads) * time + token % time) * width;
  u64 angle = cos ? (u64)token * half : 0;
  T* to = y + (u64)head * width;
  NAMED(turn)(from, cos ? cos + angle : cos, sin + angle, to, at % fours * 4, half, -1.0f);
}

__device__ inline void NAMED(copy_row)(const T* x, T* y, u64 width) {
  for (u64 first = 4 * threadIdx.x; first < width; first += 4 * blockDim.x)
    store(y, first, width, load(x, first, width));
}

// The rows of `x` at some places, a block a row.
extern "C" __global__ void NAMED(select_rows)(const T* x, const u32* places, T* y, u64 width) {
  NAMED(copy_row)(x + places[blockIdx.x] * width, y + blockIdx.x * width, width);
}

// Back to their places, which are all different.
extern "C" __global__ void NAMED(spread_rows)(const T* x, const u32* places, T* y, u64 width) {
  NAMED(copy_row)(x + blockIdx.x * width, y + places[blockIdx.x] * width, width);
}

extern "C" __global__ void NAMED(swiglu)(const T* gate, const T* up, T* y, u64 count) {
  u64 first = own_four();
  if (first >= count) return;
  Four g = load(gate, first, count), u = load(up, first, count);
  for (int i = 0; i < 4; i++) u.at[i] *= g.at[i] / (1.0f + expf(-g.at[i]));
  store(y, first, count, u);
}

extern "C" __global__ void NAMED(swiglu_backward)(
    const T* gate, const T* up, const T* dy, T* dgate, T* dup, u64 count) {
  u64 first = own_four();
  if (first >= count) return;
  Four g = load(gate, first, count), u = load(up, first, count), d = load(dy, first, count);
  for (int i = 0; i < 4; i++) {
    float sigmoid = 1.0f / (1.0f + expf(-g.at[i]));
    u.at[i] *= d.at[i] * sigmoid * (1.0f + g.at[i] * (1.0f - sigmoid));
    d.at[i] *= g.at[i] * sigmoid;
  }
  store(dgate, first, count, u);
  store(dup, first, count, d);
}

// The factors of `kept` in ops/mod.rs: sixteen bits of one hash decide on each of four elements.
extern "C" __global__ void NAMED(dropout)(
    const T* x, T* y, u64 count, u64 key, u32 bar, float factor) {
  u64 first = own_four();
  if (first >= count) return;
  u64 z = key + first / 4 * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  z ^= z >> 31;
  Four own = load(x, first, count);
  for (int i = 0; i < 4; i++) own.at[i] *= (z >> 16 * i & 0xffff) < bar ? 0.0f : factor;
  store(y, first, count, own);
}

// A sum a block, f64, of every so-many-th four; the block's threads add theirs in f32.
extern "C" __global__ void NAMED(sum_of_squares)(const T* x, double* sums, u64 count) {
  double sum = 0.0;
  for (u64 first = own_four(); first < count; first += 4 * (u64)gridDim.x * blockDim.x) {
    Four own = load(x, first, count);
    sum += own.at[0] * own.at[0] + own.at[1] * own.at[1] + own.at[2] * own.at[2] +
           own.at[3] * own.at[3];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// A block a row: its loss, f32, and the gradient of that.
extern "C" __global__ void NAMED(cross_entropy)(
    const T* logits, const u32* labels, T* gradient, float* losses, u64 vocab) {
  logits += blockIdx.x * vocab;
  gradient += blockIdx.x * vocab;
  u64 label = labels[blockIdx.x];
  Exponentials all = exponentials(logits, 0, vocab, 1.0f);
  float inverse = 1.0f / all.sum;
  if (threadIdx.x == 0) losses[blockIdx.x] = all.top + logf(all.sum) - wide(logits[label]);
  for (u64 first = 4 * threadIdx.x; first < vocab; first += 4 * blockDim.x) {
    Four own = load(logits, first, vocab);
    for (int i = 0; i < 4; i++)
      own.at[i] = expf(own.at[i] - all.top) * inverse - (first + i == label ? 1.0f : 0.0f);
    store(gradient, first, vocab, own);
  }
}

// Four weights a thread, from two codes. Rounded as on the CPU, so that the weights are the same.
extern "C" __global__ void NAMED(dequantise)(
    const uint8_t* codes, const uint8_t* scales, const float* steps, const float* least,
    const float* pairs, T* y, u64 count, u32 block, u32 group) {
  u64 first = own_four();
  if (first >= count) return;
  u64 own = first / block;
  float scale = __fadd_rn(__fmul_rn(scales[own], steps[own / group]), least[own / group]);
  Four four;
  for (int i = 0; i < 4; i++)
    four.at[i] = pairs[2 * codes[first / 2 + i / 2] + i % 2] * scale;
  store(y, first, count, four);
}
