/* Dense reference of problems/dataclean.c. */
#include "denseimpl.h"

typedef struct {
  BLPTie tie;
  PetscInt *label[3], *given; /* given: as the lower level sees the training samples */
} DataClean;

static const DataClean *Data(const Dense *d)
{
  return (const DataClean *)d->data;
}

/* The entry of lambda that is for sample i. */
static PetscInt Tied(const Dense *d, PetscInt i)
{
  return Data(d)->tie == BLP_TIE_SCALAR ? 0 : i;
}

static long double Weight(const Dense *d, const PetscReal lambda[], PetscInt i)
{
  return 1 / (1 + expl(-(long double)lambda[Tied(d, i)]));
}

static long double Rate(const Dense *d, const PetscReal lambda[], PetscInt i)
{
  const long double t = lambda[Tied(d, i)];

  return 1 / ((1 + expl(-t)) * (1 + expl(t)));
}

static long double Decay(const Dense *d)
{
  return (long double)synthetic_beta / (d->c * d->p);
}

/* P_k - y_k of training sample i; returns its cross-entropy. */
static PetscReal Row(const Dense *d, PetscInt i, const PetscReal w[], long double P[], long double r[])
{
  const PetscInt own = Data(d)->given[i];
  const PetscReal loss = DenseSoftmax(d->rows, d->c, d->X[0] + i * d->rows, w, own, P);

  for (PetscInt k = 0; k < d->c; k++) r[k] = P[k] - (k == own ? 1 : 0);
  return loss;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double P[32], r[32], sum = 0, square = 0;

  for (PetscInt i = 0; i < d->n[0]; i++) sum += Weight(d, lambda, i) * Row(d, i, w, P, r);
  for (PetscInt l = 0; l < d->nw; l++) square += (long double)w[l] * w[l];
  return (PetscReal)(sum / d->n[0] + Decay(d) * square / 2);
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  long double P[32], r[32];

  for (PetscInt l = 0; l < d->nw; l++) {
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[0]; i++) {
      Row(d, i, w, P, r);
      sum += Weight(d, lambda, i) * d->X[0][i * d->rows + l / d->c] * r[l % d->c];
    }
    g[l] = (PetscReal)(sum / d->n[0] + Decay(d) * w[l]);
  }
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  long double P[32], r[32];

  for (PetscInt l = 0; l < d->nw; l++) {
    for (PetscInt m = 0; m < d->nw; m++) {
      const PetscInt k = l % d->c, q = m % d->c;
      long double sum = 0;
      for (PetscInt i = 0; i < d->n[0]; i++) {
        const PetscReal *const x = d->X[0] + i * d->rows;
        Row(d, i, w, P, r);
        sum += Weight(d, lambda, i) * x[l / d->c] * x[m / d->c] * P[k] * ((k == q ? 1 : 0) - P[q]);
      }
      H[l * d->nw + m] = (PetscReal)(sum / d->n[0] + (l == m ? Decay(d) : 0));
    }
  }
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  long double P[32], r[32];

  memset(C, 0, sizeof(*C) * (size_t)(d->nw * d->nlambda));
  for (PetscInt i = 0; i < d->n[0]; i++) {
    Row(d, i, w, P, r);
    for (PetscInt l = 0; l < d->nw; l++)
      C[l * d->nlambda + Tied(d, i)] +=
          (PetscReal)(Rate(d, lambda, i) * d->X[0][i * d->rows + l / d->c] * r[l % d->c] / d->n[0]);
  }
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  (void)lambda;
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return DenseCrossEntropy(d, 1, Data(d)->label[1], w, g1);
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  (void)lambda;
  DenseMeasure(d, set, set ? Data(d)->label[set] : Data(d)->given, w, metrics);
}

/* ------------------------------------------------------------------ the object */

static PetscErrorCode Destroy(Dense *d)
{
  DataClean *dc = (DataClean *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(dc->label[k]));
  PetscCall(PetscFree(dc->given));
  PetscCall(PetscFree(dc));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate_DataClean(const Synthetic *s, Dense *d)
{
  static const struct DenseOps ops = {.loss = Loss,
                                      .gradient = Gradient,
                                      .hessian = Hessian,
                                      .cross = Cross,
                                      .upper = Upper,
                                      .evaluate = Evaluate,
                                      .destroy = Destroy};
  DataClean *dc;

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(PetscNew(&dc));
  PetscCall(DenseSetLabels(s, d, dc->label));
  PetscCall(PetscMalloc1(d->n[0], &dc->given));
  for (PetscInt i = 0; i < d->n[0]; i++) dc->given[i] = SyntheticSpoilt(d->c, i, dc->label[0][i]);
  dc->tie = s->tie;
  d->ops = &ops;
  d->data = dc;
  d->nw = d->p * d->c;
  d->nlambda = s->tie == BLP_TIE_SCALAR ? 1 : d->n[0];
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  PetscFunctionReturn(0);
}
