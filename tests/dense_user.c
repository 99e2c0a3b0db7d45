/* Dense reference of the problem by callbacks of userproblem.h: A and A1 stand in X. */
#include "denseimpl.h"

typedef struct {
  PetscReal *b[2], *B, *M, *shift;
} User;

/* (A w - b)_i of a set */
static long double Residual(const Dense *d, int set, PetscInt i, const PetscReal w[])
{
  const User *u = (const User *)d->data;
  long double sum = -u->b[set][i];

  for (PetscInt j = 0; j < d->nw; j++) sum += (long double)d->X[set][i * d->nw + j] * w[j];
  return sum;
}

/* (B lambda)_m */
static long double Mix(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  const User *u = (const User *)d->data;
  long double sum = 0;

  for (PetscInt j = 0; j < d->p; j++) sum += (long double)u->B[m * d->p + j] * lambda[j];
  return sum;
}

static long double Weight(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return expl(Mix(d, lambda, m)) / 2;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[0]; i++) {
    const long double size = fabsl(Residual(d, 0, i, w));
    sum += (size + log1pl(expl(-2 * size)) - logl(2)) / d->n[0];
  }
  for (PetscInt m = 0; m < d->nw; m++) sum += Weight(d, lambda, m) * w[m] * w[m] / 2;
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  for (PetscInt m = 0; m < d->nw; m++) {
    long double sum = Weight(d, lambda, m) * w[m];
    for (PetscInt i = 0; i < d->n[0]; i++)
      sum += d->X[0][i * d->nw + m] * tanhl(Residual(d, 0, i, w)) / d->n[0];
    g[m] = (PetscReal)sum;
  }
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  for (PetscInt m = 0; m < d->nw; m++) {
    for (PetscInt l = 0; l < d->nw; l++) {
      long double sum = m == l ? Weight(d, lambda, m) : 0;
      for (PetscInt i = 0; i < d->n[0]; i++) {
        const long double t = tanhl(Residual(d, 0, i, w));
        sum += d->X[0][i * d->nw + m] * (1 - t) * (1 + t) * d->X[0][i * d->nw + l] / d->n[0];
      }
      H[m * d->nw + l] = (PetscReal)sum;
    }
  }
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  const User *u = (const User *)d->data;

  for (PetscInt m = 0; m < d->nw; m++)
    for (PetscInt j = 0; j < d->p; j++)
      C[m * d->p + j] = (PetscReal)(Weight(d, lambda, m) * w[m] * u->B[m * d->p + j]);
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  const User *u = (const User *)d->data;
  long double E = 0;

  for (PetscInt i = 0; i < d->n[1]; i++) {
    const long double s = Residual(d, 1, i, w);
    E += s * s / (2 * d->n[1]);
  }
  for (PetscInt j = 0; j < d->p; j++) E += (long double)lambda[j] * lambda[j] / 20 + cosl(lambda[j]) / 10;
  for (PetscInt m = 0; m < d->nw; m++) E += w[m] * Mix(d, lambda, m) / 20;
  for (PetscInt m = 0; g1 && m < d->nw; m++) {
    long double sum = Mix(d, lambda, m) / 20;
    for (PetscInt i = 0; i < d->n[1]; i++) sum += Residual(d, 1, i, w) * d->X[1][i * d->nw + m] / d->n[1];
    g1[m] = (PetscReal)sum;
  }
  for (PetscInt j = 0; g2 && j < d->p; j++) {
    long double sum = (long double)lambda[j] / 10 - sinl(lambda[j]) / 10;
    for (PetscInt m = 0; m < d->nw; m++) sum += u->B[m * d->p + j] * w[m] / 20;
    g2[j] = (PetscReal)sum;
  }
  return (PetscReal)E;
}

/* (M w + B lambda + c)_m */
static long double MapArgument(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscInt m)
{
  const User *u = (const User *)d->data;
  long double sum = Mix(d, lambda, m) + u->shift[m];

  for (PetscInt l = 0; l < d->nw; l++) sum += (long double)u->M[m * d->nw + l] * w[l];
  return sum;
}

static void MapStep(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal y[])
{
  for (PetscInt m = 0; m < d->nw; m++) y[m] = (PetscReal)(0.4L * tanhl(MapArgument(d, lambda, w, m)));
}

static void MapDerivatives(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                           PetscReal B[])
{
  const User *u = (const User *)d->data;

  for (PetscInt m = 0; m < d->nw; m++) {
    const long double t = tanhl(MapArgument(d, lambda, w, m)), slope = 0.4L * (1 - t) * (1 + t);
    for (PetscInt l = 0; l < d->nw; l++) J[m * d->nw + l] = (PetscReal)(slope * u->M[m * d->nw + l]);
    for (PetscInt j = 0; j < d->p; j++) B[m * d->p + j] = (PetscReal)(slope * u->B[m * d->p + j]);
  }
}

/* ------------------------------------------------------------------ the object */

/* Matrix or vector of the problem. */
static PetscErrorCode Numbers(PetscInt64 seed, int which, PetscInt n, PetscInt m, PetscReal **A)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * m, A));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < m; j++) (*A)[i * m + j] = UserScale(which, m) * UserNumber(seed, which, i, j, m);
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Dense *d)
{
  User *u = (User *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 2; k++) PetscCall(PetscFree(u->b[k]));
  PetscCall(PetscFree(u->B));
  PetscCall(PetscFree(u->M));
  PetscCall(PetscFree(u->shift));
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

/* The lower level is either. */
static const struct DenseOps by_loss = {.loss = Loss,
                                        .gradient = Gradient,
                                        .hessian = Hessian,
                                        .cross = Cross,
                                        .upper = Upper,
                                        .destroy = Destroy},
                             by_map = {.upper = Upper,
                                       .mapstep = MapStep,
                                       .mapderivatives = MapDerivatives,
                                       .destroy = Destroy};

PetscErrorCode DenseCreate_User(const Synthetic *s, Dense *d)
{
  User *u;

  PetscFunctionBegin;
  PetscCall(PetscNew(&u));
  d->data = u;
  d->ops = s->map ? &by_map : &by_loss;
  d->direct = PETSC_TRUE;
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_USER;
  d->p = d->nlambda = s->p;
  d->c = s->c;
  d->rows = d->nw = s->p + s->c;
  for (int k = 0; k < 2; k++) {
    d->n[k] = s->n[k];
    PetscCall(Numbers(s->seed, k ? USER_A1 : USER_A0, d->n[k], d->nw, &d->X[k]));
    PetscCall(Numbers(s->seed, k ? USER_b1 : USER_b0, d->n[k], 1, &u->b[k]));
  }
  PetscCall(Numbers(s->seed, USER_B, d->nw, d->p, &u->B));
  PetscCall(Numbers(s->seed, USER_M, d->nw, d->nw, &u->M));
  PetscCall(Numbers(s->seed, USER_c, d->nw, 1, &u->shift));
  PetscFunctionReturn(0);
}
