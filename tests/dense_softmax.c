/* Dense reference of problems/softmax.c. */
#include "denseimpl.h"

typedef struct {
  BLPTie tie;
  PetscInt *label[3];
} Softmax;

static const PetscInt *Labels(const Dense *d, int set)
{
  return ((const Softmax *)d->data)->label[set];
}

/* P_ik of sample i of a set; returns its cross-entropy. */
static PetscReal Row(const Dense *d, int set, PetscInt i, const PetscReal w[], long double P[])
{
  return DenseSoftmax(d->rows, d->c, d->X[set] + i * d->rows, w, Labels(d, set)[i], P);
}

/* The entry of lambda that is for entry m = (j, k) of W (not of the bias). */
static PetscInt Tied(const Dense *d, PetscInt m)
{
  switch (((const Softmax *)d->data)->tie) {
  case BLP_TIE_CLASS:
    return m % d->c;
  case BLP_TIE_WEIGHT:
    return m;
  case BLP_TIE_SCALAR:
    return 0;
  default:
    return m / d->c;
  }
}

/* exp(lambda_jk) / (c p), 0 for the bias */
static PetscReal Weight(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return m / d->c < d->p ? PetscExpReal(lambda[Tied(d, m)]) / (PetscReal)(d->c * d->p) : 0;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = DenseCrossEntropy(d, 0, Labels(d, 0), w, NULL);

  for (PetscInt m = 0; m < d->nw; m++) sum += Weight(d, lambda, m) * w[m] * w[m] / 2;
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  DenseCrossEntropy(d, 0, Labels(d, 0), w, g);
  for (PetscInt m = 0; m < d->nw; m++) g[m] += Weight(d, lambda, m) * w[m];
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  long double P[32];

  memset(H, 0, sizeof(*H) * (size_t)(d->nw * d->nw));
  for (PetscInt i = 0; i < d->n[0]; i++) {
    Row(d, 0, i, w, P);
    for (PetscInt m = 0; m < d->nw; m++) {
      for (PetscInt l = 0; l < d->nw; l++) {
        const PetscInt k = m % d->c, q = l % d->c;
        const long double x = d->X[0][i * d->rows + m / d->c], y = d->X[0][i * d->rows + l / d->c];
        H[m * d->nw + l] += (PetscReal)(x * y * P[k] * ((k == q ? 1 : 0) - P[q]) / d->n[0]);
      }
    }
  }
  for (PetscInt m = 0; m < d->nw; m++) H[m * d->nw + m] += Weight(d, lambda, m);
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  memset(C, 0, sizeof(*C) * (size_t)(d->nw * d->nlambda));
  for (PetscInt m = 0; m < d->p * d->c; m++) C[m * d->nlambda + Tied(d, m)] = Weight(d, lambda, m) * w[m];
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  (void)lambda;
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return DenseCrossEntropy(d, 1, Labels(d, 1), w, g1);
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  (void)lambda;
  DenseMeasure(d, set, Labels(d, set), w, metrics);
}

/* ------------------------------------------------------------------ the object */

static PetscErrorCode Destroy(Dense *d)
{
  Softmax *sm = (Softmax *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(sm->label[k]));
  PetscCall(PetscFree(sm));
  PetscFunctionReturn(0);
}

static const struct DenseOps ops = {.loss = Loss,
                                    .gradient = Gradient,
                                    .hessian = Hessian,
                                    .cross = Cross,
                                    .upper = Upper,
                                    .evaluate = Evaluate,
                                    .destroy = Destroy};

PetscErrorCode DenseCreate_Softmax(const Synthetic *s, Dense *d)
{
  Softmax *sm;

  PetscFunctionBegin;
  PetscCall(PetscNew(&sm));
  d->data = sm;
  d->ops = &ops;
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  sm->tie = s->tie;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(DenseSetLabels(s, d, sm->label));
  d->nw = d->rows * d->c;
  d->nlambda = s->tie == BLP_TIE_CLASS    ? s->c
               : s->tie == BLP_TIE_WEIGHT ? s->p * s->c
               : s->tie == BLP_TIE_SCALAR ? 1
                                          : s->p;
  PetscFunctionReturn(0);
}
