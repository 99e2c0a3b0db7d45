/* krr: kernel ridge regression, its kernel entry by entry. */
#include "denseimpl.h"

typedef struct {
  PetscReal *y[3];
  PetscBool raw;
} KRR;

/* beta (m = 0) or gamma_m, and the derivative by its entry of lambda. */
static long double Parameter(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return ((const KRR *)d->data)->raw ? (long double)lambda[m] : expl(lambda[m]);
}

static long double Slope(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return ((const KRR *)d->data)->raw ? 1 : expl(lambda[m]);
}

/* (x_ik - x_jk)^2 of sample i of a set and training sample j */
static long double Square(const Dense *d, int set, PetscInt i, PetscInt j, PetscInt k)
{
  const long double difference = (long double)d->X[set][i * d->p + k] - d->X[0][j * d->p + k];

  return difference * difference;
}

static long double Kernel(const Dense *d, const PetscReal lambda[], int set, PetscInt i, PetscInt j)
{
  long double sum = 0;

  for (PetscInt k = 0; k < d->p; k++) sum += Parameter(d, lambda, 1 + k) * Square(d, set, i, j, k);
  return expl(-sum);
}

/* (K w)_i of a set */
static long double Predict(const Dense *d, const PetscReal lambda[], int set, PetscInt i, const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt j = 0; j < d->nw; j++) sum += Kernel(d, lambda, set, i, j) * w[j];
  return sum;
}

/* (dK_k w)_i of a set */
static long double Derivative(const Dense *d, const PetscReal lambda[], int set, PetscInt i, PetscInt k,
                              const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt j = 0; j < d->nw; j++)
    sum -= Kernel(d, lambda, set, i, j) * Square(d, set, i, j, k) * (long double)w[j];
  return sum;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  const KRR *krr = (const KRR *)d->data;
  long double sum = 0;

  for (PetscInt i = 0; i < d->nw; i++)
    sum += (long double)w[i] *
           ((Predict(d, lambda, 0, i, w) + Parameter(d, lambda, 0) * (long double)w[i]) / 2 - krr->y[0][i]);
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  const KRR *krr = (const KRR *)d->data;

  for (PetscInt i = 0; i < d->nw; i++)
    g[i] =
        (PetscReal)(Predict(d, lambda, 0, i, w) + Parameter(d, lambda, 0) * (long double)w[i] - krr->y[0][i]);
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  (void)w;
  for (PetscInt i = 0; i < d->nw; i++)
    for (PetscInt j = 0; j < d->nw; j++)
      H[i * d->nw + j] = (PetscReal)(Kernel(d, lambda, 0, i, j) + (i == j ? Parameter(d, lambda, 0) : 0));
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  for (PetscInt i = 0; i < d->nw; i++) {
    C[i * d->nlambda] = (PetscReal)(Slope(d, lambda, 0) * (long double)w[i]);
    for (PetscInt k = 0; k < d->p; k++)
      C[i * d->nlambda + 1 + k] = (PetscReal)(Slope(d, lambda, 1 + k) * Derivative(d, lambda, 0, i, k, w));
  }
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  const KRR *krr = (const KRR *)d->data;
  long double sum = 0, *r;

  r = (long double *)malloc(sizeof(*r) * (size_t)d->n[1]);
  for (PetscInt i = 0; i < d->n[1]; i++) {
    r[i] = krr->y[1][i] - Predict(d, lambda, 1, i, w);
    sum += r[i] * r[i] / 2;
  }
  for (PetscInt j = 0; g1 && j < d->nw; j++) {
    long double product = 0;
    for (PetscInt i = 0; i < d->n[1]; i++) product -= Kernel(d, lambda, 1, i, j) * r[i];
    g1[j] = (PetscReal)product;
  }
  if (g2) g2[0] = 0;
  for (PetscInt k = 0; g2 && k < d->p; k++) {
    long double product = 0;
    for (PetscInt i = 0; i < d->n[1]; i++) product -= r[i] * Derivative(d, lambda, 1, i, k, w);
    g2[1 + k] = (PetscReal)(Slope(d, lambda, 1 + k) * product);
  }
  free(r);
  return (PetscReal)sum;
}

/* Whether the training targets have two values, and these in order. */
static PetscBool TwoValues(const Dense *d, PetscReal value[2])
{
  const PetscReal *const y = ((const KRR *)d->data)->y[0];

  value[0] = value[1] = y[0];
  for (PetscInt i = 1; i < d->n[0]; i++) {
    value[0] = PetscMin(value[0], y[i]);
    value[1] = PetscMax(value[1], y[i]);
  }
  for (PetscInt i = 0; i < d->n[0]; i++)
    if (y[i] != value[0] && y[i] != value[1]) return PETSC_FALSE;
  return (PetscBool)(value[0] < value[1]);
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  const KRR *krr = (const KRR *)d->data;
  PetscReal value[2];
  const PetscBool two = TwoValues(d, value);
  long double sum = 0;
  PetscInt right = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    const long double prediction = Predict(d, lambda, set, i, w), r = krr->y[set][i] - prediction;
    sum += r * r / 2;
    right += value[prediction > ((long double)value[0] + value[1]) / 2] == krr->y[set][i];
  }
  metrics->n = d->n[set];
  metrics->loss = (PetscReal)(sum / d->n[set]);
  metrics->accuracy = two ? (PetscReal)right / (PetscReal)d->n[set] : (PetscReal)NAN;
}

static PetscErrorCode Destroy(Dense *d)
{
  KRR *krr = (KRR *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(krr->y[k]));
  PetscCall(PetscFree(krr));
  PetscFunctionReturn(0);
}

static const struct DenseOps ops = {.loss = Loss,
                                    .gradient = Gradient,
                                    .hessian = Hessian,
                                    .cross = Cross,
                                    .upper = Upper,
                                    .evaluate = Evaluate,
                                    .destroy = Destroy};

PetscErrorCode DenseCreate_KRR(const Synthetic *s, Dense *d)
{
  KRR *krr;

  PetscFunctionBegin;
  PetscCall(PetscNew(&krr));
  d->data = krr;
  d->ops = &ops;
  d->mu = d->L = TWOFOLD_PROVED;
  d->direct = PETSC_TRUE;
  krr->raw = SyntheticIsRaw(s);
  PetscCall(DenseSetSamples(s, d));
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &krr->y[k]));
    for (PetscInt i = 0; i < d->n[k]; i++)
      krr->y[k][i] = s->real ? SyntheticTarget(s, k, i) : (PetscReal)SyntheticLabel(s, k, i);
  }
  d->nw = s->n[0];
  d->nlambda = s->p + 1;
  PetscFunctionReturn(0);
}
