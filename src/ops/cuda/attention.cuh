// The softmax between attention's products, forwards and backwards. A part of kernels.cu.
//
// Scores are of a stretch of queries and some columns, `[batch, heads, stretch, columns]`, f32, in
// rows of `room` elements; a block a row. `starts` `[batch, time]` holds the first column that each
// token sees, and `left` is what lies left of the scores' own first column. The stretch's query t is
// the token `first + t`, and sees the scores' columns before `end + t`.

// A row's first visible column, and its token. `row` counts rows of the scores.
#define ROW                                                                              \
  u64 row = blockIdx.x, t = row % stretch, head = row / stretch % heads;                 \
  u64 token = row / stretch / heads * time + first + t;                                  \
  u64 begin = starts[token] - left, behind = end + t

// Shares, and the logarithm `[batch × time, heads]` of the sum of the exponentials.
extern "C" __global__ void NAMED(attention_shares)(
    const float* scores, const u32* starts, T* shares, float* logs, u32 heads, u32 time, u32 first,
    u32 stretch, u32 left, u32 end, u32 columns, u32 room, float scale) {
  ROW;
  scores += row * room;
  shares += row * room;
  Exponentials all = exponentials(scores, begin, behind, scale);
  float inverse = 1.0f / all.sum;
  if (threadIdx.x == 0) logs[token * heads + head] = all.top + logf(all.sum);
  for (u64 at = 4 * threadIdx.x; at < columns; at += 4 * blockDim.x) {
    Four own = load(scores, at, columns);
    for (int i = 0; i < 4; i++) {
      bool seen = at + i >= begin && at + i < behind;
      own.at[i] = seen ? expf(scale * own.at[i] - all.top) * inverse : 0.0f;
    }
    store(shares, at, columns, own);
  }
}

// The shares once more, and the gradient of the scores from that of the shares. `along`
// `[batch × time, heads]` is the product of each query's result with its gradient.
extern "C" __global__ void NAMED(attention_shares_backward)(
    const float* scores, const float* dshares, const u32* starts, const float* logs,
    const float* along, T* shares, T* dscores, u32 heads, u32 time, u32 first, u32 stretch,
    u32 left, u32 end, u32 columns, u32 room, float scale) {
  ROW;
  scores += row * room;
  dshares += row * room;
  shares += row * room;
  dscores += row * room;
  float log = logs[token * heads + head], mean = along[token * heads + head];
  for (u64 at = 4 * threadIdx.x; at < columns; at += 4 * blockDim.x) {
    Four own = load(scores, at, columns), d = load(dshares, at, columns);
    for (int i = 0; i < 4; i++) {
      bool seen = at + i >= begin && at + i < behind;
      own.at[i] = seen ? expf(scale * own.at[i] - log) : 0.0f;
      d.at[i] = own.at[i] * (d.at[i] - mean) * scale;
    }
    store(shares, at, columns, own);
    store(dscores, at, columns, d);
  }
}
#undef ROW

// The product of each piece of `width` elements of `a` with that of `b`, f32: a warp a piece.
extern "C" __global__ void NAMED(piece_products)(
    const T* a, const T* b, float* products, u64 pieces, u64 width) {
  u64 piece = ((u64)blockIdx.x * blockDim.x + threadIdx.x) / WARP;
  // The same for all lanes of a warp.
  if (piece >= pieces) return;
  a += piece * width;
  b += piece * width;
  float sum = 0.0f;
  for (u64 first = 4 * (threadIdx.x % WARP); first < width; first += 4 * WARP) {
    Four left = load(a, first, width), right = load(b, first, width);
    for (int i = 0; i < 4; i++) sum += left.at[i] * right.at[i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x % WARP == 0) products[piece] = sum;
}
