// The fused attention kernels on an emulated GPU, against attention as it is defined, in f64.
//
//     c++ -O1 -std=c++17 tests/kernels/flash.cpp -o flash && ./flash
//
// Prints the greatest relative error of each result; fails above what bf16 explains.

#include "emulated.h"
// The kernels' dynamic shared memory: more than any of them asks for.
alignas(16) static bf16 shared_tiles[1 << 17];
#include "../../src/ops/cuda/flash.cuh"

#include <stdio.h>

struct Case {
  u32 batch, heads, group, time, columns, room, window;
  // Every so many tokens another text begins; 0: never.
  u32 text;
};

struct Inputs {
  std::vector<bf16> query, key, value, dout;
  std::vector<u32> starts;
};

struct Results {
  std::vector<double> out, logs, dquery, dkey, dvalue;
};

static std::mt19937 numbers(7);

static std::vector<bf16> noise(size_t count) {
  std::normal_distribution<float> normal;
  std::vector<bf16> all(count);
  for (bf16& x : all) x = rounded(normal(numbers));
  return all;
}

static Inputs inputs_of(const Case& c, u32 width) {
  u32 groups = c.heads / c.group;
  Inputs in;
  in.query = noise((size_t)c.batch * c.heads * c.time * width);
  in.key = noise((size_t)c.batch * groups * c.room * width);
  in.value = noise((size_t)c.batch * groups * c.room * width);
  in.dout = noise((size_t)c.batch * c.time * c.heads * width);
  for (u32 row = 0; row < c.batch; row++)
    for (u32 t = 0; t < c.time; t++) {
      u32 own = c.columns - c.time + t;
      u32 start = c.text == 0 ? 0 : (own + 5 * row) / c.text * c.text;
      start = start > 5 * row ? start - 5 * row : 0;
      if (c.window != 0 && own + 1 > c.window) start = max(start, own + 1 - c.window);
      in.starts.push_back(start);
    }
  return in;
}

static double dot(const bf16* a, const bf16* b, u32 width) {
  double sum = 0;
  for (u32 i = 0; i < width; i++) sum += (double)wide(a[i]) * wide(b[i]);
  return sum;
}

static Results defined(const Case& c, u32 width, const Inputs& in, double scale) {
  u32 groups = c.heads / c.group;
  Results r;
  r.out.resize(in.dout.size());
  r.logs.resize((size_t)c.batch * c.time * c.heads);
  r.dquery.resize(in.query.size());
  r.dkey.resize(in.key.size());
  r.dvalue.resize(in.key.size());
  for (u32 b = 0; b < c.batch; b++)
    for (u32 h = 0; h < c.heads; h++)
      for (u32 t = 0; t < c.time; t++) {
        const bf16* query = &in.query[(((size_t)b * c.heads + h) * c.time + t) * width];
        double* dquery = &r.dquery[(((size_t)b * c.heads + h) * c.time + t) * width];
        size_t keys = ((size_t)b * groups + h / c.group) * c.room * width;
        size_t place = (((size_t)b * c.time + t) * c.heads + h) * width;
        u32 start = in.starts[(size_t)b * c.time + t], end = c.columns - c.time + t + 1;
        std::vector<double> weights;
        double sum = 0, mean = 0;
        for (u32 k = start; k < end; k++) {
          weights.push_back(exp(scale * dot(query, &in.key[keys + (size_t)k * width], width)));
          sum += weights.back();
        }
        r.logs[((size_t)b * c.time + t) * c.heads + h] = log(sum);
        for (u32 k = start; k < end; k++) {
          double weight = weights[k - start] /= sum;
          const bf16* value = &in.value[keys + (size_t)k * width];
          for (u32 i = 0; i < width; i++) r.out[place + i] += weight * wide(value[i]);
          mean += weight * dot(value, &in.dout[place], width);
        }
        for (u32 k = start; k < end; k++) {
          double weight = weights[k - start];
          size_t at = keys + (size_t)k * width;
          double dweight = dot(&in.value[at], &in.dout[place], width);
          double dscore = weight * (dweight - mean) * scale;
          for (u32 i = 0; i < width; i++) {
            dquery[i] += dscore * wide(in.key[at + i]);
            r.dkey[at + i] += dscore * wide(query[i]);
            r.dvalue[at + i] += weight * wide(in.dout[place + i]);
          }
        }
      }
  return r;
}

template <class T>
static double error(const std::vector<T>& found, const std::vector<double>& expected) {
  double off = 0, size = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    double x;
    if constexpr (std::is_same_v<T, bf16>)
      x = wide(found[i]);
    else
      x = found[i];
    off += (x - expected[i]) * (x - expected[i]);
    size += expected[i] * expected[i];
  }
  return sqrt(off / size);
}

template <u32 D>
static bool holds(const Case& c, bool early) {
  float scale = 1.0f / sqrtf(D);
  Inputs in = inputs_of(c, D);
  Results expected = defined(c, D, in, scale);
  // What is not written is no number.
  const bf16 nan = {0x7fff};
  std::vector<bf16> out(in.dout.size(), nan), dquery(in.query.size(), nan);
  std::vector<bf16> dkey(in.key.size(), nan), dvalue(in.key.size(), nan);
  std::vector<float> logs(expected.logs.size(), NAN), along(expected.logs.size());
  Sizes sizes = {c.heads, c.group, c.time, c.columns, c.room};
  u32 tiles = (c.time + 63) / 64, key_tiles = (c.columns + 63) / 64;
  machine::run(c.batch * c.heads * tiles, FLASH_THREADS, early, [&] {
    flash<D>(
        in.query.data(), in.key.data(), in.value.data(), in.starts.data(), out.data(), logs.data(),
        sizes, scale);
  });
  for (size_t i = 0; i < along.size(); i++) along[i] = (float)dot(&out[i * D], &in.dout[i * D], D);
  machine::run(c.batch * c.heads * tiles, FLASH_THREADS, early, [&] {
    flash_queries<D>(
        in.query.data(), in.key.data(), in.value.data(), in.starts.data(), logs.data(),
        along.data(), in.dout.data(), dquery.data(), sizes, scale);
  });
  machine::run(c.batch * c.heads / c.group * key_tiles, FLASH_THREADS, early, [&] {
    flash_keys<D>(
        shared_tiles, in.query.data(), in.key.data(), in.value.data(), in.starts.data(),
        logs.data(), along.data(), in.dout.data(), dkey.data(), dvalue.data(), sizes, scale);
  });
  // Columns that are not used have no gradient: nothing is written there.
  for (u32 head = 0; head < c.batch * c.heads / c.group; head++)
    for (size_t i = (size_t)c.columns * D; i < (size_t)c.room * D; i++) {
      size_t at = (size_t)head * c.room * D + i;
      if (dkey[at].bits != nan.bits || dvalue[at].bits != nan.bits) return false;
      dkey[at] = dvalue[at] = {0};
    }
  double errors[] = {
      error(out, expected.out), error(logs, expected.logs), error(dquery, expected.dquery),
      error(dkey, expected.dkey), error(dvalue, expected.dvalue)};
  printf("%3u %4u of %4u, %u/%u heads:", D, c.time, c.columns, c.heads, c.heads / c.group);
  bool close = true;
  for (double error : errors) {
    printf(" %.1e", error);
    close = close && error < 6e-3;
  }
  printf("%s\n", close ? "" : " FAR OFF");
  return close;
}

int main() {
  // Texts in a row, a full tile, one token behind a cache, a window, texts behind a cache in rows
  // with more room, and a group of four.
  const Case texts = {2, 4, 2, 75, 75, 75, 0, 37}, full = {1, 2, 1, 64, 64, 64, 0, 0},
             one = {1, 3, 3, 1, 9, 12, 0, 0}, window = {1, 2, 2, 130, 130, 130, 20, 0},
             behind = {1, 1, 1, 140, 173, 180, 0, 100}, group = {1, 4, 4, 33, 33, 33, 0, 0};
  bool all = true;
  for (bool early : {false, true}) {
    for (const Case& c : {texts, full, one, window, behind, group}) all = holds<64>(c, early) && all;
    for (const Case& c : {one, group}) all = holds<96>(c, early) && all;
    for (const Case& c : {behind, group}) all = holds<128>(c, early) && all;
  }
  return all ? 0 : 1;
}
