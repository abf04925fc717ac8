// Attention without scores in memory, in bf16, for heads of 64, 96 or 128 elements: the algorithm of
// FlashAttention-2 (Dao 2023, arXiv:2307.08691) on the matrix units of sm_80 and newer. A part of
// kernels.cu.
//
// A block is four warps of 16 rows each. The gradient of the queries and that of the keys are two
// kernels, each of which computes the scores again: so no sum needs atomics, and its order is fixed.
//
// query `[batch, heads, time, D]`, key and value `[batch, heads / group, room, D]`, starts
// `[batch, time]`; out and dout `[batch × time, heads × D]`, logs and along `[batch × time, heads]`.
// The token t of a row sees the columns from its start to `columns - time + t`.

static const u32 TILE_ROWS = 64;
static const u32 FLASH_THREADS = 128;
// Log₂ e: 2^x is one instruction, e^x is not.
static const float LOG2E = 1.4426950408889634f;

struct Sizes {
  u32 heads, group, time, columns, room;

  // Columns before the end of what the first token sees, less one.
  __device__ u32 before() const { return columns - time; }
  __device__ u32 end(u32 token) const { return before() + token + 1; }
};

__device__ inline u32 pack(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<u32*>(&pair);
}

#ifndef EMULATED
// 16 bytes to shared memory, while the thread goes on; zeros if they are not `there`.
__device__ inline void copy16(bf16* to, const bf16* from, bool there) {
  u32 address = (u32)__cvta_generic_to_shared(to), bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
               : "memory");
}

__device__ inline void close_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until but `COUNT` of the thread's closed groups of copies are there.
template <int COUNT>
__device__ inline void await_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(COUNT) : "memory");
}

// Four 8×8 matrices; each lane names one of their 32 rows.
__device__ inline void load_matrices(u32 (&to)[4], const bf16* row) {
  u32 address = (u32)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

__device__ inline void load_transposed(u32 (&to)[4], const bf16* row) {
  u32 address = (u32)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

// sum += a·b: 16×16 by 16×8.
__device__ inline void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif

// A tile `[ROWS, D]` in shared memory. Rows end in 16 bytes of nothing, so that eight of them lie in
// different banks.
template <u32 D>
struct Tile {
  static const u32 ROW = D + 8;
  bf16* at;

  __device__ static constexpr u32 elements(u32 rows) { return rows * ROW; }

  // Rows `first..first + rows` of a matrix whose rows are `stride` apart; zeros from `behind` on.
  __device__ void fetch(const bf16* from, u64 stride, u32 first, u32 rows, u32 behind) const {
    for (u32 piece = threadIdx.x; piece < rows * (D / 8); piece += FLASH_THREADS) {
      u32 row = piece / (D / 8), column = piece % (D / 8) * 8;
      bool there = first + row < behind;
      const bf16* source = from + (there ? (u64)(first + row) * stride : 0) + column;
      copy16(at + row * ROW + column, source, there);
    }
  }

  // As the left factor, 16 rows by 16 columns.
  __device__ void left(u32 (&to)[4], u32 row, u32 column) const {
    u32 lane = threadIdx.x % WARP;
    load_matrices(to, at + (row + lane % 16) * ROW + column + lane / 16 * 8);
  }

  // As the right factor, transposed: 16 columns from `column` deep, 16 rows wide.
  __device__ void right_transposed(u32 (&to)[4], u32 row, u32 column) const {
    u32 lane = threadIdx.x % WARP;
    row += lane / 16 * 8 + lane % 8;
    load_matrices(to, at + row * ROW + column + lane / 8 % 2 * 8);
  }

  // As the right factor as it lies: 16 rows from `row` deep, 16 columns wide.
  __device__ void right(u32 (&to)[4], u32 row, u32 column) const {
    u32 lane = threadIdx.x % WARP;
    load_transposed(to, at + (row + lane % 16) * ROW + column + lane / 16 * 8);
  }
};

// A warp's 16 rows of a matrix in memory as left factors; zeros from the row `behind` on.
template <u32 D>
__device__ inline void own_rows(
    u32 (&to)[D / 16][4], const bf16* from, u64 stride, u32 first, u32 behind) {
  u32 lane = threadIdx.x % WARP;
  for (u32 half = 0; half < 2; half++) {
    u32 row = first + lane / 4 + 8 * half;
    const bf16* source = from + (u64)row * stride + 2 * (lane % 4);
#pragma unroll
    for (u32 step = 0; step < D / 16; step++) {
      for (u32 next = 0; next < 2; next++) {
        const u32* pair = reinterpret_cast<const u32*>(source + 16 * step + 8 * next);
        to[step][half + 2 * next] = row < behind ? *pair : 0;
      }
    }
  }
}

// sums `[16, COLUMNS]` += 16 columns of 16 rows · those of the tile's first rows, transposed.
template <u32 D, u32 COLUMNS>
__device__ inline void add_scores(
    float (&sums)[COLUMNS / 8][4], const u32 (&a)[4], const Tile<D>& tile, u32 step) {
#pragma unroll
  for (u32 column = 0; column < COLUMNS; column += 16) {
    u32 b[4];
    tile.right_transposed(b, column, 16 * step);
    multiply(sums[column / 8], a, b[0], b[1]);
    multiply(sums[column / 8 + 1], a, b[2], b[3]);
  }
}

// sums `[16, COLUMNS]` += rows `[16, D]` · the tile's first rows, transposed.
template <u32 D, u32 COLUMNS>
__device__ inline void scores_of(
    float (&sums)[COLUMNS / 8][4], const u32 (&rows)[D / 16][4], const Tile<D>& tile) {
#pragma unroll
  for (u32 step = 0; step < D / 16; step++) add_scores<D, COLUMNS>(sums, rows[step], tile, step);
}

// The same of a warp's own 16 rows from `row` on of a tile.
template <u32 D, u32 COLUMNS>
__device__ inline void scores_of(
    float (&sums)[COLUMNS / 8][4], const Tile<D>& rows, u32 row, const Tile<D>& tile) {
#pragma unroll
  for (u32 step = 0; step < D / 16; step++) {
    u32 a[4];
    rows.left(a, row, 16 * step);
    add_scores<D, COLUMNS>(sums, a, tile, step);
  }
}

// sums `[16, D]` += weights `[16, COLUMNS]`, rounded to bf16, · the tile's rows.
template <u32 D, u32 COLUMNS>
__device__ inline void add_weighted(
    float (&sums)[D / 8][4], const float (&weights)[COLUMNS / 8][4], const Tile<D>& tile) {
#pragma unroll
  for (u32 step = 0; step < COLUMNS / 16; step++) {
    const float(&low)[4] = weights[2 * step], (&high)[4] = weights[2 * step + 1];
    u32 a[4] = {
        pack(low[0], low[1]), pack(low[2], low[3]), pack(high[0], high[1]), pack(high[2], high[3])};
#pragma unroll
    for (u32 column = 0; column < D; column += 16) {
      u32 b[4];
      tile.right(b, 16 * step, column);
      multiply(sums[column / 8], a, b[0], b[1]);
      multiply(sums[column / 8 + 1], a, b[2], b[3]);
    }
  }
}

// A warp's 16 rows of sums, times a factor for each half, into rows `stride` apart.
template <u32 D>
__device__ inline void write_rows(
    bf16* to, u64 stride, u32 first, u32 behind, const float (&sums)[D / 8][4],
    const float (&factors)[2]) {
  u32 lane = threadIdx.x % WARP;
  for (u32 half = 0; half < 2; half++) {
    u32 row = first + lane / 4 + 8 * half;
    if (row >= behind) continue;
    bf16* target = to + (u64)row * stride + 2 * (lane % 4);
#pragma unroll
    for (u32 at = 0; at < D / 8; at++) {
      float low = sums[at][2 * half] * factors[half], high = sums[at][2 * half + 1] * factors[half];
      *reinterpret_cast<u32*>(target + 8 * at) = pack(low, high);
    }
  }
}

// What a block of queries sees: the columns `left..right` in part, those of `whole..full` wholly.
struct Sight {
  u32 left, whole, full, right;

  __device__ bool wholly(u32 first, u32 columns) const {
    return first >= whole && first + columns <= full;
  }
};

__device__ inline Sight sight_of(const u32* starts, u32 first, const Sizes& sizes) {
  u32 least = 0xffffffff, most = 0, behind = min(first + TILE_ROWS, sizes.time);
  for (u32 token = first + threadIdx.x % WARP; token < behind; token += WARP) {
    least = min(least, starts[token]);
    most = max(most, starts[token]);
  }
  for (u32 far = WARP / 2; far > 0; far /= 2) {
    least = min(least, __shfl_xor_sync(EVERY_LANE, least, far));
    most = max(most, __shfl_xor_sync(EVERY_LANE, most, far));
  }
  return {least, most, sizes.end(first), sizes.end(behind - 1)};
}

// A thread's two rows of queries, and what they see.
struct Queries {
  u32 start[2], end[2];

  __device__ Queries(const u32* starts, u32 first, const Sizes& sizes) {
    for (u32 half = 0; half < 2; half++) {
      u32 token = first + threadIdx.x % WARP / 4 + 8 * half;
      start[half] = token < sizes.time ? starts[token] : 0;
      end[half] = token < sizes.time ? sizes.end(token) : 0;
    }
  }

  // Whether the element `at` of the thread's four sees the column.
  __device__ bool sees(u32 at, u32 column) const {
    return column >= start[at / 2] && column < end[at / 2];
  }
};

__device__ inline float over_row(float x, bool greatest) {
  for (u32 far = 1; far < 4; far *= 2) {
    float other = __shfl_xor_sync(EVERY_LANE, x, far);
    x = greatest ? fmaxf(x, other) : x + other;
  }
  return x;
}

// The softmax of a row as it grows: its greatest score and its sum of powers of two.
struct Softmax {
  float top[2] = {-FLT_MAX, -FLT_MAX};
  float sum[2] = {0.0f, 0.0f};

  // Makes weights of the scores, and of older sums what they are beside them.
  template <u32 COLUMNS, u32 D>
  __device__ void add(float (&scores)[COLUMNS / 8][4], float (&sums)[D / 8][4], float scale) {
    for (u32 half = 0; half < 2; half++) {
      float high = -FLT_MAX;
#pragma unroll
      for (u32 i = 0; i < COLUMNS / 8; i++)
        high = fmaxf(high, fmaxf(scores[i][2 * half], scores[i][2 * half + 1]));
      high = fmaxf(top[half], over_row(high, true) * scale);
      float kept = exp2f(top[half] - high), more = 0.0f;
      top[half] = high;
#pragma unroll
      for (u32 i = 0; i < COLUMNS / 8; i++) {
        for (u32 at = 2 * half; at < 2 * half + 2; at++) {
          float score = scores[i][at];
          scores[i][at] = score == -INFINITY ? 0.0f : exp2f(fmaf(score, scale, -high));
          more += scores[i][at];
        }
      }
      sum[half] = sum[half] * kept + more;
#pragma unroll
      for (u32 i = 0; i < D / 8; i++) {
        sums[i][2 * half] *= kept;
        sums[i][2 * half + 1] *= kept;
      }
    }
  }
};

// Where a block of 64 queries is: the longest first, so that the last to end are short.
#define QUERY_BLOCK                                                                              \
  u32 tiles = (sizes.time + TILE_ROWS - 1) / TILE_ROWS, every = gridDim.x / tiles;               \
  u32 first = (tiles - 1 - blockIdx.x / every) * TILE_ROWS;                                      \
  u32 row = blockIdx.x % every / sizes.heads, head = blockIdx.x % every % sizes.heads;           \
  u32 lane = threadIdx.x % WARP, own = first + threadIdx.x / WARP * 16;                          \
  u64 key_head = (u64)row * (sizes.heads / sizes.group) + head / sizes.group;                    \
  query += ((u64)row * sizes.heads + head) * sizes.time * D;                                     \
  key += key_head * sizes.room * D;                                                              \
  value += key_head * sizes.room * D;                                                            \
  starts += (u64)row * sizes.time;                                                               \
  Sight sight = sight_of(starts, first, sizes);                                                  \
  Queries queries(starts, own, sizes)

template <u32 D>
__device__ inline void flash(
    const bf16* query, const bf16* key, const bf16* value, const u32* starts, bf16* out,
    float* logs, Sizes sizes, float scale) {
  QUERY_BLOCK;
  alignas(16) __shared__ bf16 memory[2 * Tile<D>::elements(TILE_ROWS)];
  Tile<D> keys = {memory}, values = {memory + Tile<D>::elements(TILE_ROWS)};
  u32 rows[D / 16][4];
  own_rows<D>(rows, query, D, own, sizes.time);
  float sums[D / 8][4] = {};
  Softmax softmax;
  keys.fetch(key, D, sight.left, TILE_ROWS, sight.right);
  close_copies();
  for (u32 left = sight.left; left < sight.right; left += TILE_ROWS) {
    await_copies<0>();
    // The keys are there for all, and all have read the last values.
    __syncthreads();
    values.fetch(value, D, left, TILE_ROWS, sight.right);
    close_copies();
    float scores[TILE_ROWS / 8][4] = {};
    scores_of<D, TILE_ROWS>(scores, rows, keys);
    __syncthreads();
    keys.fetch(key, D, left + TILE_ROWS, TILE_ROWS, sight.right);
    close_copies();
    if (!sight.wholly(left, TILE_ROWS)) {
#pragma unroll
      for (u32 i = 0; i < TILE_ROWS / 8; i++)
        for (u32 at = 0; at < 4; at++)
          if (!queries.sees(at, left + 8 * i + 2 * (lane % 4) + at % 2)) scores[i][at] = -INFINITY;
    }
    softmax.add<TILE_ROWS, D>(scores, sums, scale * LOG2E);
    await_copies<1>();
    __syncthreads();
    add_weighted<D, TILE_ROWS>(sums, scores, values);
  }
  float factors[2];
  for (u32 half = 0; half < 2; half++) {
    float sum = over_row(softmax.sum[half], false);
    factors[half] = 1.0f / sum;
    u32 token = own + lane / 4 + 8 * half;
    if (lane % 4 == 0 && token < sizes.time)
      logs[((u64)row * sizes.time + token) * sizes.heads + head] =
          (softmax.top[half] + log2f(sum)) / LOG2E;
  }
  u64 stride = (u64)sizes.heads * D;
  out += (u64)row * sizes.time * stride + (u64)head * D;
  write_rows<D>(out, stride, own, sizes.time, sums, factors);
}

// Columns, or queries, that the gradients take at once: the next ones come meanwhile.
static const u32 STEP_ROWS = 32;

template <u32 D>
__device__ inline void flash_queries(
    const bf16* query, const bf16* key, const bf16* value, const u32* starts, const float* logs,
    const float* along, const bf16* dout, bf16* dquery, Sizes sizes, float scale) {
  QUERY_BLOCK;
  alignas(16) __shared__ bf16 memory[4 * Tile<D>::elements(STEP_ROWS)];
  u64 stride = (u64)sizes.heads * D;
  dout += (u64)row * sizes.time * stride + (u64)head * D;
  dquery += ((u64)row * sizes.heads + head) * sizes.time * D;
  u32 rows[D / 16][4], drows[D / 16][4];
  own_rows<D>(rows, query, D, own, sizes.time);
  own_rows<D>(drows, dout, stride, own, sizes.time);
  float log[2], mean[2], sums[D / 8][4] = {};
  for (u32 half = 0; half < 2; half++) {
    u32 token = min(own + lane / 4 + 8 * half, sizes.time - 1);
    u64 place = ((u64)row * sizes.time + token) * sizes.heads + head;
    log[half] = logs[place] * LOG2E;
    mean[half] = along[place];
  }
  auto tile = [&](u32 which, u32 turn) {
    return Tile<D>{memory + (which * 2 + turn) * Tile<D>::elements(STEP_ROWS)};
  };
  auto fetch = [&](u32 left, u32 turn) {
    tile(0, turn).fetch(key, D, left, STEP_ROWS, sight.right);
    tile(1, turn).fetch(value, D, left, STEP_ROWS, sight.right);
    close_copies();
  };
  fetch(sight.left, 0);
  u32 turn = 0;
  for (u32 left = sight.left; left < sight.right; left += STEP_ROWS, turn ^= 1) {
    fetch(left + STEP_ROWS, turn ^ 1);
    await_copies<1>();
    __syncthreads();
    float scores[STEP_ROWS / 8][4] = {}, dweights[STEP_ROWS / 8][4] = {};
    scores_of<D, STEP_ROWS>(scores, rows, tile(0, turn));
    scores_of<D, STEP_ROWS>(dweights, drows, tile(1, turn));
    bool wholly = sight.wholly(left, STEP_ROWS);
#pragma unroll
    for (u32 i = 0; i < STEP_ROWS / 8; i++) {
      for (u32 at = 0; at < 4; at++) {
        bool seen = wholly || queries.sees(at, left + 8 * i + 2 * (lane % 4) + at % 2);
        float weight = seen ? exp2f(fmaf(scores[i][at], scale * LOG2E, -log[at / 2])) : 0.0f;
        scores[i][at] = weight * (dweights[i][at] - mean[at / 2]) * scale;
      }
    }
    add_weighted<D, STEP_ROWS>(sums, scores, tile(0, turn));
    // All have read what the next turn overwrites.
    __syncthreads();
  }
  write_rows<D>(dquery, D, own, sizes.time, sums, {1.0f, 1.0f});
}

// The queries `first..first + 32` of a block of keys: what is read of them beside their rows.
struct Asking {
  u32 start[STEP_ROWS];
  float log[STEP_ROWS], mean[STEP_ROWS];
};

// The least start of 32 queries from `first` on.
__device__ inline u32 least_start(const u32* starts, u32 first, u32 time) {
  u32 token = first + threadIdx.x % WARP;
  u32 least = token < time ? starts[token] : 0xffffffff;
  for (u32 far = WARP / 2; far > 0; far /= 2)
    least = min(least, __shfl_xor_sync(EVERY_LANE, least, far));
  return least;
}

template <u32 D>
__device__ inline void flash_keys(
    bf16* memory, const bf16* query, const bf16* key, const bf16* value, const u32* starts,
    const float* logs, const float* along, const bf16* dout, bf16* dkey, bf16* dvalue, Sizes sizes,
    float scale) {
  __shared__ Asking asking[2];
  u32 groups = sizes.heads / sizes.group, tiles = (sizes.columns + TILE_ROWS - 1) / TILE_ROWS;
  u32 every = gridDim.x / tiles, first = blockIdx.x / every * TILE_ROWS;
  u32 row = blockIdx.x % every / groups, key_head = blockIdx.x % every % groups;
  u32 lane = threadIdx.x % WARP, own = threadIdx.x / WARP * 16;
  u64 place = ((u64)row * groups + key_head) * sizes.room * D, stride = (u64)sizes.heads * D;
  u32 members = sizes.group, time = sizes.time;
  query += ((u64)row * sizes.heads + (u64)key_head * members) * time * D;
  dout += (u64)row * time * stride + (u64)key_head * members * D;
  logs += (u64)row * time * sizes.heads + key_head * members;
  along += (u64)row * time * sizes.heads + key_head * members;
  starts += (u64)row * time;
  const u32 wide = Tile<D>::elements(TILE_ROWS), narrow = Tile<D>::elements(STEP_ROWS);
  Tile<D> keys = {memory}, values = {memory + wide};
  auto tile = [&](u32 which, u32 turn) {
    return Tile<D>{memory + 2 * wide + (which * 2 + turn) * narrow};
  };
  keys.fetch(key + place, D, first, TILE_ROWS, sizes.columns);
  values.fetch(value + place, D, first, TILE_ROWS, sizes.columns);

  // The turns are the members of the group, and of each the steps of queries that see the block.
  u32 from = first > sizes.before() ? (first - sizes.before()) / STEP_ROWS : 0;
  u32 steps = (time + STEP_ROWS - 1) / STEP_ROWS, member = 0, step = from;
  auto find = [&]() {
    for (; member < members; member++, step = from)
      for (; step < steps; step++)
        if (least_start(starts, step * STEP_ROWS, time) < first + TILE_ROWS) return;
  };
  auto fetch = [&](u32 turn) {
    if (member < members) {
      u32 asked = step * STEP_ROWS;
      tile(0, turn).fetch(query + (u64)member * time * D, D, asked, STEP_ROWS, time);
      tile(1, turn).fetch(dout + (u64)member * D, stride, asked, STEP_ROWS, time);
      if (threadIdx.x < STEP_ROWS) {
        u32 token = min(asked + threadIdx.x, time - 1);
        u64 place = (u64)token * sizes.heads + member;
        // A query that is not there sees nothing.
        asking[turn].start[threadIdx.x] =
            asked + threadIdx.x < time ? starts[token] : 0xffffffff;
        asking[turn].log[threadIdx.x] = logs[place] * LOG2E;
        asking[turn].mean[threadIdx.x] = along[place];
      }
    }
    close_copies();
  };
  float dkeys[D / 8][4] = {}, dvalues[D / 8][4] = {};
  find();
  fetch(0);
  for (u32 turn = 0; member < members; turn ^= 1) {
    u32 asked = step * STEP_ROWS;
    step++;
    find();
    fetch(turn ^ 1);
    await_copies<1>();
    __syncthreads();
    float scores[STEP_ROWS / 8][4] = {}, dweights[STEP_ROWS / 8][4] = {};
    scores_of<D, STEP_ROWS>(scores, keys, own, tile(0, turn));
    scores_of<D, STEP_ROWS>(dweights, values, own, tile(1, turn));
#pragma unroll
    for (u32 i = 0; i < STEP_ROWS / 8; i++) {
      for (u32 at = 0; at < 4; at++) {
        u32 asks = 8 * i + 2 * (lane % 4) + at % 2, column = first + own + lane / 4 + at / 2 * 8;
        bool seen = column >= asking[turn].start[asks] && column < sizes.end(asked + asks);
        float log = asking[turn].log[asks], mean = asking[turn].mean[asks];
        float weight = seen ? exp2f(fmaf(scores[i][at], scale * LOG2E, -log)) : 0.0f;
        scores[i][at] = weight;
        dweights[i][at] = weight * (dweights[i][at] - mean) * scale;
      }
    }
    add_weighted<D, STEP_ROWS>(dvalues, scores, tile(1, turn));
    add_weighted<D, STEP_ROWS>(dkeys, dweights, tile(0, turn));
    __syncthreads();
  }
  write_rows<D>(dkey + place, D, first + own, sizes.columns, dkeys, {1.0f, 1.0f});
  write_rows<D>(dvalue + place, D, first + own, sizes.columns, dvalues, {1.0f, 1.0f});
}

#ifndef EMULATED
#define FLASH_KERNELS(D)                                                                         \
  extern "C" __global__ void __launch_bounds__(FLASH_THREADS, 3) flash_##D(                      \
      const bf16* query, const bf16* key, const bf16* value, const u32* starts, bf16* out,       \
      float* logs, u32 heads, u32 group, u32 time, u32 columns, u32 room, float scale) {         \
    flash<D>(query, key, value, starts, out, logs, {heads, group, time, columns, room}, scale);  \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(FLASH_THREADS) flash_queries_##D(                 \
      const bf16* query, const bf16* key, const bf16* value, const u32* starts,                  \
      const float* logs, const float* along, const bf16* dout, bf16* dquery, u32 heads,          \
      u32 group, u32 time, u32 columns, u32 room, float scale) {                                 \
    flash_queries<D>(                                                                            \
        query, key, value, starts, logs, along, dout, dquery,                                    \
        {heads, group, time, columns, room}, scale);                                             \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(FLASH_THREADS) flash_keys_##D(                    \
      const bf16* query, const bf16* key, const bf16* value, const u32* starts,                  \
      const float* logs, const float* along, const bf16* dout, bf16* dkey, bf16* dvalue,         \
      u32 heads, u32 group, u32 time, u32 columns, u32 room, float scale) {                      \
    flash_keys<D>(                                                                               \
        reinterpret_cast<bf16*>(shared_tiles), query, key, value, starts, logs, along, dout,     \
        dkey, dvalue, {heads, group, time, columns, room}, scale);                               \
  }

// As much as `flash_keys` is launched with.
extern __shared__ uint4 shared_tiles[];

FLASH_KERNELS(64)
FLASH_KERNELS(96)
FLASH_KERNELS(128)
#endif
