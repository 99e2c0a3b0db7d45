/* Dense reference of hyperrep: ridge regression on a linear representation, H_jk = lambda[j c + k]. */
#include "denseimpl.h"

typedef struct {
  PetscReal *y[3];
} HyperRep;

static const PetscReal beta = 0.1; /* that of SyntheticHyperRep() */

/* (X H)_ik of a set */
static long double Feature(const Dense *d, const PetscReal lambda[], int set, PetscInt i, PetscInt k)
{
  long double sum = 0;

  for (PetscInt j = 0; j < d->p; j++) sum += (long double)d->X[set][i * d->p + j] * lambda[j * d->c + k];
  return sum;
}

/* (X H w - y)_i */
static long double Residual(const Dense *d, const PetscReal lambda[], int set, PetscInt i,
                            const PetscReal w[])
{
  long double sum = -((const HyperRep *)d->data)->y[set][i];

  for (PetscInt k = 0; k < d->c; k++) sum += Feature(d, lambda, set, i, k) * w[k];
  return sum;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[0]; i++) {
    const long double r = Residual(d, lambda, 0, i, w);
    sum += r * r / 2;
  }
  for (PetscInt k = 0; k < d->c; k++) sum += (long double)beta * w[k] * w[k] / 2;
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  for (PetscInt k = 0; k < d->c; k++) {
    long double sum = (long double)beta * w[k];
    for (PetscInt i = 0; i < d->n[0]; i++) sum += Feature(d, lambda, 0, i, k) * Residual(d, lambda, 0, i, w);
    g[k] = (PetscReal)sum;
  }
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  (void)w;
  for (PetscInt k = 0; k < d->c; k++) {
    for (PetscInt l = 0; l < d->c; l++) {
      long double sum = k == l ? beta : 0;
      for (PetscInt i = 0; i < d->n[0]; i++) sum += Feature(d, lambda, 0, i, k) * Feature(d, lambda, 0, i, l);
      H[k * d->c + l] = (PetscReal)sum;
    }
  }
}

/* d/dH_jq of sum_i (X H)_ik r_i */
static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  for (PetscInt k = 0; k < d->c; k++) {
    for (PetscInt m = 0; m < d->nlambda; m++) {
      const PetscInt j = m / d->c, q = m % d->c;
      long double sum = 0;
      for (PetscInt i = 0; i < d->n[0]; i++) {
        const long double x = d->X[0][i * d->p + j];
        sum += (k == q ? x * Residual(d, lambda, 0, i, w) : 0) + Feature(d, lambda, 0, i, k) * x * w[q];
      }
      C[k * d->nlambda + m] = (PetscReal)sum;
    }
  }
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  long double E = 0;

  for (PetscInt k = 0; g1 && k < d->c; k++) {
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[1]; i++) sum += Feature(d, lambda, 1, i, k) * Residual(d, lambda, 1, i, w);
    g1[k] = (PetscReal)sum;
  }
  for (PetscInt m = 0; g2 && m < d->nlambda; m++) {
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[1]; i++)
      sum += d->X[1][i * d->p + m / d->c] * Residual(d, lambda, 1, i, w) * w[m % d->c];
    g2[m] = (PetscReal)sum;
  }
  for (PetscInt i = 0; i < d->n[1]; i++) {
    const long double r = Residual(d, lambda, 1, i, w);
    E += r * r / 2;
  }
  return (PetscReal)E;
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    const long double r = Residual(d, lambda, set, i, w);
    sum += r * r / 2;
  }
  *metrics = (BLPMetrics){.loss = (PetscReal)(sum / d->n[set]), .accuracy = NAN, .n = d->n[set]};
}

static PetscErrorCode Destroy(Dense *d)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(((HyperRep *)d->data)->y[k]));
  PetscCall(PetscFree(d->data));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate_HyperRep(const Synthetic *s, Dense *d)
{
  static const struct DenseOps ops = {.loss = Loss,
                                      .gradient = Gradient,
                                      .hessian = Hessian,
                                      .cross = Cross,
                                      .upper = Upper,
                                      .evaluate = Evaluate,
                                      .destroy = Destroy};
  HyperRep *hr;

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(PetscNew(&hr));
  d->ops = &ops;
  d->data = hr;
  d->nw = d->c;
  d->nlambda = d->p * d->c;
  d->direct = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &hr->y[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) hr->y[k][i] = SyntheticTarget(s, k, i);
  }
  PetscFunctionReturn(0);
}
