/* Dense references of classifiers of fixed points: w[i h + a], and lambda ends with theta_kb. The layer says
   the rest; that of equilibrium stands below, lambda being A_ab, B_aj, c_a before. */
#include "denseimpl.h"

enum { most = 32, Steps = SyntheticEquilibriumSteps };

typedef struct {
  PetscInt *label[3], h, first; /* theta's first entry */
  const DenseLayer *layer;
} Equilibrium;

static inline const Equilibrium *Own(const Dense *d)
{
  return (const Equilibrium *)d->data;
}

/* Entry a of the next state of sample i. */
static long double Next(const Dense *d, const PetscReal lambda[], int set, PetscInt i, PetscInt a,
                        const PetscReal w[])
{
  return tanhl((*Own(d)->layer->sum)(d, lambda, d->X[set] + i * d->p, a, w));
}

static PetscReal Theta(const Dense *d, const PetscReal lambda[], PetscInt k, PetscInt b)
{
  return lambda[Own(d)->first + k * Own(d)->h + b];
}

/* P = softmax(theta w); the cross-entropy. */
static long double Row(const Dense *d, const PetscReal lambda[], int set, PetscInt i, const PetscReal w[],
                       long double P[])
{
  long double sum = 0, own = 0;

  for (PetscInt k = 0; k < d->c; k++) {
    P[k] = 0;
    for (PetscInt b = 0; b < Own(d)->h; b++) P[k] += (long double)Theta(d, lambda, k, b) * w[b];
    if (k == Own(d)->label[set][i]) own = P[k];
    sum += expl(P[k]);
  }
  for (PetscInt k = 0; k < d->c; k++) P[k] = expl(P[k]) / sum;
  return logl(sum) - own;
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  const PetscInt n = d->n[0], h = Own(d)->h, first = Own(d)->first, *const label = Own(d)->label[0];
  long double P[most], E = 0, g[most * most] = {0};

  for (PetscInt i = 0; i < n; i++) {
    E += Row(d, lambda, 0, i, w + i * h, P) / n;
    for (PetscInt k = 0; k < d->c; k++) P[k] = (P[k] - (label[i] == k ? 1 : 0)) / n;
    for (PetscInt b = 0; b < h; b++) {
      long double sum = 0;
      for (PetscInt k = 0; k < d->c; k++) {
        sum += P[k] * Theta(d, lambda, k, b);
        g[k * h + b] += P[k] * w[i * h + b];
      }
      if (g1) g1[i * h + b] = (PetscReal)sum;
    }
  }
  for (PetscInt m = 0; g2 && m < d->nlambda; m++) g2[m] = m < first ? 0 : (PetscReal)g[m - first];
  return (PetscReal)E;
}

/* The training samples at w, others after steps of their own from 0. */
static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  const PetscInt h = Own(d)->h, *const label = Own(d)->label[set];
  PetscInt correct = 0;
  long double P[most], loss = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    PetscReal own[most] = {0}, next[most];
    PetscInt top = 0;
    for (PetscInt a = 0; a < h && !set; a++) own[a] = w[i * h + a];
    for (int t = 0; set && t < Steps; t++) {
      for (PetscInt a = 0; a < h; a++) next[a] = (PetscReal)Next(d, lambda, set, i, a, own);
      for (PetscInt a = 0; a < h; a++) own[a] = next[a];
    }
    loss += Row(d, lambda, set, i, own, P);
    for (PetscInt k = 1; k < d->c; k++)
      if (P[k] > P[top]) top = k;
    correct += top == label[i];
  }
  *metrics = (BLPMetrics){.loss = (PetscReal)(loss / d->n[set]),
                          .accuracy = (PetscReal)correct / (PetscReal)d->n[set],
                          .n = d->n[set]};
}

static void MapStep(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal y[])
{
  const PetscInt h = Own(d)->h;

  for (PetscInt m = 0; m < d->nw; m++) y[m] = (PetscReal)Next(d, lambda, 0, m / h, m % h, w + m / h * h);
}

static void MapDerivatives(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                           PetscReal Q[])
{
  const PetscInt h = Own(d)->h;
  const DenseLayer *const layer = Own(d)->layer;

  for (PetscInt r = 0; r < d->nw; r++) {
    const PetscInt i = r / h, a = r % h;
    const PetscReal *const own = w + i * h, *const x = d->X[0] + i * d->p;
    const long double y = Next(d, lambda, 0, i, a, own), slope = 1 - y * y;
    for (PetscInt m = 0; m < d->nw; m++)
      J[r * d->nw + m] = m / h == i ? (PetscReal)(slope * (*layer->A)(lambda, a, m % h)) : 0;
    for (PetscInt m = 0; m < d->nlambda; m++)
      Q[r * d->nlambda + m] =
          m < Own(d)->first ? (PetscReal)(slope * (*layer->derivative)(d, own, x, a, m)) : 0;
  }
}

static PetscErrorCode Destroy(Dense *d)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(((Equilibrium *)d->data)->label[k]));
  PetscCall(PetscFree(d->data));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreateFixedPoints(const Synthetic *s, PetscInt h, PetscInt first, const DenseLayer *layer,
                                      Dense *d)
{
  static const struct DenseOps ops = {.upper = Upper,
                                      .evaluate = Evaluate,
                                      .mapstep = MapStep,
                                      .mapderivatives = MapDerivatives,
                                      .destroy = Destroy};
  Equilibrium *eq;

  PetscFunctionBegin;
  PetscCheck(h <= most && d->c <= most, PETSC_COMM_SELF, PETSC_ERR_SUP, "states of %d numbers, %d classes",
             (int)h, (int)d->c);
  PetscCall(PetscNew(&eq));
  d->ops = &ops;
  d->data = eq;
  d->nw = d->n[0] * h;
  d->nlambda = first + d->c * h;
  d->direct = PETSC_TRUE;
  eq->h = h;
  eq->first = first;
  eq->layer = layer;
  PetscCall(DenseSetLabels(s, d, eq->label));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the dense layer */

enum { H = SyntheticEquilibriumH };

static PetscReal A(const PetscReal lambda[], PetscInt a, PetscInt b)
{
  return lambda[a * H + b];
}

/* (A w + B x + c)_a */
static long double Sum(const Dense *d, const PetscReal lambda[], const PetscReal x[], PetscInt a,
                       const PetscReal w[])
{
  const PetscReal *const B = lambda + H * H, *const shift = B + H * d->p;
  long double sum = shift[a];

  for (PetscInt b = 0; b < H; b++) sum += (long double)A(lambda, a, b) * w[b];
  for (PetscInt j = 0; j < d->p; j++) sum += (long double)B[a * d->p + j] * x[j];
  return sum;
}

static PetscReal Derivative(const Dense *d, const PetscReal w[], const PetscReal x[], PetscInt a, PetscInt m)
{
  const PetscInt b = m - H * H, c = b - H * d->p;

  if (b < 0) return m / H == a ? w[m % H] : 0;
  if (c < 0) return b / d->p == a ? x[b % d->p] : 0;
  return c == a ? 1 : 0;
}

PetscErrorCode DenseCreate_Equilibrium(const Synthetic *s, Dense *d)
{
  static const DenseLayer layer = {.sum = Sum, .A = A, .derivative = Derivative};

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(DenseCreateFixedPoints(s, H, H * (H + d->p + 1), &layer, d));
  PetscFunctionReturn(0);
}
