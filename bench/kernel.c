/* The practical limit on a CPU: training in registers, eight seeds a vector, on all cores.

   The arithmetic is attnlogic.model's: raw scores (q_i k_j) v_j, a residual, a linear readout, on
   the four rows of two bits; its gradient is propagated backwards by hand. The bits are constants,
   so the terms of a zero token are not computed: each is zero. */

#include <immintrin.h>
#include <pthread.h>

#ifndef __AVX2__
#error "this processor has no AVX2"
#endif

#define LANES 8
#define GROUP 2 /* vectors side by side: one alone waits for its own square roots and divisions */
#define INLINE static inline __attribute__((always_inline))

typedef __m256 vec;
enum kind { SGD, ADAM, POLYAK };
enum { WQ, WK, WV, W1, W2, B, SIZE };

struct work {
    int kind, epochs, seeds; /* seeds: a multiple of GROUP * LANES */
    const float *targets;    /* of the rows 00 01 10 11 */
    float threshold;
    const float *settings; /* SGD: lr. ADAM: beta1, beta2, eps, 1 - lr decay. POLYAK: f_min, tolerance */
    const float *rates;    /* ADAM: lr/(1 - beta1^t) of each epoch, then 1/(1 - beta2^t) of each */
    float *params;         /* (SIZE, seeds), trained in place */
    int *first_hit;        /* (seeds,): the first epoch whose loss <= threshold, or -1 */
    int next;              /* the first seed that no thread has taken */
};

INLINE vec all(float x) { return _mm256_set1_ps(x); }

/* One row's squared error; adds its part of the gradient of the mean over four rows. */
INLINE vec row(const int x1, const int x2, float target, const vec p[SIZE], vec gradient[SIZE]) {
    const int x[2] = {x1, x2};
    vec attended[2] = {all(0), all(0)}, out = p[B];
    vec score = p[WQ] * p[WK]; /* q_i k_j where both tokens are 1 */
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++)
            if (x[i] && x[j]) attended[i] += score * p[WV];
        if (x[i]) out += p[W1 + i] * (attended[i] + all(1));
    }
    vec error = out - all(target), slope = all(0.5f) * error; /* 2/4 of it */
    gradient[B] += slope;
    for (int i = 0; i < 2; i++) {
        if (!x[i]) continue;
        gradient[W1 + i] += slope * (attended[i] + all(1));
        vec to_attended = slope * p[W1 + i], to_score = to_attended * p[WV];
        for (int j = 0; j < 2; j++) {
            if (!x[j]) continue;
            gradient[WQ] += to_score * p[WK];
            gradient[WK] += to_score * p[WQ];
            gradient[WV] += to_attended * score;
        }
    }
    return error * error;
}

/* One epoch of one vector of seeds: its loss before the step. */
INLINE vec step(const int kind, const struct work *w, int epoch, vec p[SIZE], vec m[SIZE],
                vec v[SIZE]) {
    const float *s = w->settings, *t = w->targets;
    vec g[SIZE];
    for (int k = 0; k < SIZE; k++) g[k] = all(0);
    vec loss = row(0, 0, t[0], p, g) + row(0, 1, t[1], p, g);
    loss = (loss + row(1, 0, t[2], p, g) + row(1, 1, t[3], p, g)) * all(0.25f);
    if (kind == SGD) {
        for (int k = 0; k < SIZE; k++) p[k] -= all(s[0]) * g[k];
    } else if (kind == ADAM) {
        vec rate = all(w->rates[epoch]), correction = all(w->rates[w->epochs + epoch]);
        for (int k = 0; k < SIZE; k++) {
            m[k] = all(s[0]) * m[k] + all(1 - s[0]) * g[k];
            v[k] = all(s[1]) * v[k] + all(1 - s[1]) * (g[k] * g[k]);
            vec root = _mm256_sqrt_ps(v[k] * correction);
            p[k] = p[k] * all(s[3]) - rate * m[k] / (root + all(s[2]));
        }
    } else {
        vec square = all(0);
        for (int k = 0; k < SIZE; k++) square += g[k] * g[k];
        vec moves = _mm256_cmp_ps(square, all(s[1]), _CMP_NLT_UQ);
        vec rate = _mm256_and_ps((loss - all(s[0])) / square, moves); /* 0 once it has stopped */
        for (int k = 0; k < SIZE; k++) p[k] -= rate * g[k];
    }
    return loss;
}

/* All epochs of GROUP vectors; the kind is a constant where this is inlined. */
INLINE void train_group(const int kind, const struct work *w, int first) {
    vec p[GROUP][SIZE], m[GROUP][SIZE], v[GROUP][SIZE], hit[GROUP];
    for (int i = 0; i < GROUP; i++) {
        for (int k = 0; k < SIZE; k++) {
            p[i][k] = _mm256_loadu_ps(w->params + k * (long)w->seeds + first + i * LANES);
            m[i][k] = v[i][k] = all(0);
        }
        hit[i] = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
    }
    for (int epoch = 0; epoch < w->epochs; epoch++) {
        vec now = _mm256_castsi256_ps(_mm256_set1_epi32(epoch));
        for (int i = 0; i < GROUP; i++) {
            vec below = _mm256_cmp_ps(step(kind, w, epoch, p[i], m[i], v[i]), all(w->threshold),
                                      _CMP_LE_OQ);
            /* The sign of -1 is that of a run that has not hit. */
            hit[i] = _mm256_blendv_ps(hit[i], now, _mm256_and_ps(below, hit[i]));
        }
    }
    for (int i = 0; i < GROUP; i++) {
        for (int k = 0; k < SIZE; k++)
            _mm256_storeu_ps(w->params + k * (long)w->seeds + first + i * LANES, p[i][k]);
        _mm256_storeu_si256((__m256i *)(w->first_hit + first + i * LANES),
                            _mm256_castps_si256(hit[i]));
    }
}

static void *worker(void *argument) {
    struct work *w = argument;
    for (;;) {
        int first = __atomic_fetch_add(&w->next, GROUP * LANES, __ATOMIC_RELAXED);
        if (first >= w->seeds) return 0;
        if (w->kind == SGD) train_group(SGD, w, first);
        else if (w->kind == ADAM) train_group(ADAM, w, first);
        else train_group(POLYAK, w, first);
    }
}

/* Trains on so many threads, this one among them. */
void train(struct work *w, int threads) {
    pthread_t others[256];
    int started = 0;
    w->next = 0;
    while (started < threads - 1 && started < 256 &&
           !pthread_create(&others[started], 0, worker, w))
        started++;
    worker(w);
    while (started) pthread_join(others[--started], 0);
}
