/* Dense reference of equilibrium: w[i h + a], and lambda is A_ab, B_aj, c_a and theta_kb one after the other.
 */
#include "denseimpl.h"

enum { h = SyntheticEquilibriumH };

typedef struct {
  PetscInt *label[3];
} Equilibrium;

static PetscReal A(const PetscReal lambda[], PetscInt a, PetscInt b)
{
  return lambda[a * h + b];
}

static PetscReal B(const Dense *d, const PetscReal lambda[], PetscInt a, PetscInt j)
{
  return lambda[h * h + a * d->p + j];
}

static PetscReal Shift(const Dense *d, const PetscReal lambda[], PetscInt a)
{
  return lambda[h * h + h * d->p + a];
}

static PetscReal Theta(const Dense *d, const PetscReal lambda[], PetscInt k, PetscInt b)
{
  return lambda[h * h + h * d->p + h + k * h + b];
}

/* tanh(A w + B x_i + c)_a */
static long double Next(const Dense *d, const PetscReal lambda[], int set, PetscInt i, PetscInt a,
                        const PetscReal w[])
{
  long double sum = Shift(d, lambda, a);

  for (PetscInt b = 0; b < h; b++) sum += (long double)A(lambda, a, b) * w[b];
  for (PetscInt j = 0; j < d->p; j++) sum += (long double)B(d, lambda, a, j) * d->X[set][i * d->p + j];
  return tanhl(sum);
}

/* P = softmax(theta w); the cross-entropy. */
static long double Row(const Dense *d, const PetscReal lambda[], int set, PetscInt i, const PetscReal w[],
                       long double P[])
{
  long double sum = 0, own = 0;

  for (PetscInt k = 0; k < d->c; k++) {
    P[k] = 0;
    for (PetscInt b = 0; b < h; b++) P[k] += (long double)Theta(d, lambda, k, b) * w[b];
    if (k == ((const Equilibrium *)d->data)->label[set][i]) own = P[k];
    sum += expl(P[k]);
  }
  for (PetscInt k = 0; k < d->c; k++) P[k] = expl(P[k]) / sum;
  return logl(sum) - own;
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  const PetscInt n = d->n[0], *const label = ((const Equilibrium *)d->data)->label[0];
  const PetscInt first = h * h + h * d->p + h;
  long double P[32], E = 0, g[32 * h] = {0};

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
  const PetscInt *const label = ((const Equilibrium *)d->data)->label[set];
  PetscInt correct = 0;
  long double P[32], loss = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    PetscReal own[h] = {0}, next[h];
    PetscInt top = 0;
    for (PetscInt a = 0; a < h && !set; a++) own[a] = w[i * h + a];
    for (int t = 0; set && t < SyntheticEquilibriumSteps; t++) {
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
  for (PetscInt m = 0; m < d->nw; m++) y[m] = (PetscReal)Next(d, lambda, 0, m / h, m % h, w + m / h * h);
}

/* d tanh_a / d lambda_m of sample i, less the slope of tanh */
static PetscReal Derivative(const Dense *d, const PetscReal w[], PetscInt i, PetscInt a, PetscInt m)
{
  const PetscInt b = m - h * h, c = b - h * d->p;

  if (m < h * h) return m / h == a ? w[i * h + m % h] : 0;
  if (c < 0) return b / d->p == a ? d->X[0][i * d->p + b % d->p] : 0;
  return c == a ? 1 : 0;
}

static void MapDerivatives(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                           PetscReal Q[])
{
  for (PetscInt r = 0; r < d->nw; r++) {
    const PetscInt i = r / h, a = r % h;
    const long double y = Next(d, lambda, 0, i, a, w + i * h), slope = 1 - y * y;
    for (PetscInt m = 0; m < d->nw; m++)
      J[r * d->nw + m] = m / h == i ? (PetscReal)(slope * A(lambda, a, m % h)) : 0;
    for (PetscInt m = 0; m < d->nlambda; m++)
      Q[r * d->nlambda + m] = (PetscReal)(slope * Derivative(d, w, i, a, m));
  }
}

static PetscErrorCode Destroy(Dense *d)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(((Equilibrium *)d->data)->label[k]));
  PetscCall(PetscFree(d->data));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate_Equilibrium(const Synthetic *s, Dense *d)
{
  static const struct DenseOps ops = {.upper = Upper,
                                      .evaluate = Evaluate,
                                      .mapstep = MapStep,
                                      .mapderivatives = MapDerivatives,
                                      .destroy = Destroy};
  Equilibrium *eq;

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(PetscNew(&eq));
  d->ops = &ops;
  d->data = eq;
  d->nw = d->n[0] * h;
  d->nlambda = h * (h + d->p + 1 + d->c);
  d->direct = PETSC_TRUE;
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &eq->label[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) eq->label[k][i] = SyntheticLabel(s, k, i);
  }
  PetscFunctionReturn(0);
}
