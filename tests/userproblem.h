#ifndef TWOFOLD_TEST_USERPROBLEM_H
#define TWOFOLD_TEST_USERPROBLEM_H
/* A problem by callbacks on PETSc matrices, with nlambda = p and nw = p + c, so that no space can be taken
   for the other; numbers keyed by (seed, index). With r = A w - b of n0 samples, s = A1 w - b1 of n1 samples,
   d = exp(B lambda) / 2

     E            = |s|^2 / (2 n1) + |lambda|^2 / 20 + sum cos(lambda) / 10 + w . B lambda / 20
     as a loss  l = sum log cosh(r) / n0 + w . (d * w) / 2
     as a map Phi = 0.4 tanh(M w + B lambda + c),    d1Phi not symmetric  */
#include <twofold.h>

typedef struct {
  PetscInt n[2], p, nw;
  PetscInt64 seed;
  Mat A[2], B, M;
  Vec b[2], c;
  Vec r[2];        /* like b */
  Vec e, a, slope; /* like w: B lambda or d, work, tanh' at the map's point */
  int *freed;      /* counts the destruction of this */
} UserProblem;

enum { USER_A0, USER_A1, USER_B, USER_M, USER_b0, USER_b1, USER_c };

/* Number (i, j) of one of the above; m columns. */
static inline PetscReal UserNumber(PetscInt64 seed, int which, PetscInt i, PetscInt j, PetscInt m)
{
  return TwofoldRandomNormal(32 * seed + 1000 + which, (PetscInt64)i * m + j);
}

/* What the entries are multiplied by. */
static inline PetscReal UserScale(int which, PetscInt m)
{
  if (which == USER_A0 || which == USER_A1) return 0.5;
  if (which == USER_B) return 0.4 / PetscSqrtReal((PetscReal)m);
  if (which == USER_M) return 0.7 / PetscSqrtReal((PetscReal)m);
  return 1;
}

static inline PetscErrorCode UserMat(MPI_Comm comm, PetscInt64 seed, int which, PetscInt n, PetscInt m,
                                     Mat *A)
{
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(MatCreateAIJ(comm, PETSC_DECIDE, PETSC_DECIDE, n, m, m, NULL, m, NULL, A));
  PetscCall(MatGetOwnershipRange(*A, &first, &last));
  for (PetscInt i = first; i < last; i++)
    for (PetscInt j = 0; j < m; j++)
      PetscCall(MatSetValue(*A, i, j, UserScale(which, m) * UserNumber(seed, which, i, j, m), INSERT_VALUES));
  PetscCall(MatAssemblyBegin(*A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*A, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserVec(PetscInt64 seed, int which, Vec x)
{
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &first, &last));
  for (PetscInt i = first; i < last; i++)
    PetscCall(VecSetValue(x, i, UserNumber(seed, which, i, 0, 1), INSERT_VALUES));
  PetscCall(VecAssemblyBegin(x));
  PetscCall(VecAssemblyEnd(x));
  PetscFunctionReturn(0);
}

/* x_i <- f(x_i) */
static inline PetscErrorCode UserApply(Vec x, double (*f)(double))
{
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = f(a[i]);
  PetscCall(VecRestoreArray(x, &a));
  PetscFunctionReturn(0);
}

static inline double UserLogCosh(double r)
{
  return fabs(r) + log1p(exp(-2 * fabs(r))) - log(2.0);
}

static inline double UserHalfExp(double x)
{
  return exp(x) / 2;
}

/* 1 - tanh^2 */
static inline double UserSech2(double x)
{
  const double t = tanh(x);

  return (1 - t) * (1 + t);
}

/* ------------------------------------------------------------------ upper level */

static inline PetscErrorCode UserUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscReal norm, square, mixed;
  PetscScalar cosines;
  Vec work;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(MatMult(u->A[1], w, u->r[1]));
  PetscCall(VecAXPY(u->r[1], -1, u->b[1]));
  PetscCall(VecNorm(u->r[1], NORM_2, &norm));
  PetscCall(VecDot(lambda, lambda, &square));
  PetscCall(MatMult(u->B, lambda, u->e));
  PetscCall(VecDot(u->e, w, &mixed));
  PetscCall(VecDuplicate(lambda, &work));
  PetscCall(VecCopy(lambda, work));
  PetscCall(UserApply(work, cos));
  PetscCall(VecSum(work, &cosines));
  *E = norm * norm / (2 * (PetscReal)u->n[1]) + square / 20 + cosines / 10 + mixed / 20;
  if (g1) {
    PetscCall(MatMultTranspose(u->A[1], u->r[1], g1));
    PetscCall(VecAXPBY(g1, 1.0 / 20, 1 / (PetscReal)u->n[1], u->e));
  }
  if (g2) {
    PetscCall(MatMultTranspose(u->B, w, g2));
    PetscCall(VecAXPBY(g2, 1.0 / 10, 1.0 / 20, lambda));
    PetscCall(VecCopy(lambda, work));
    PetscCall(UserApply(work, sin));
    PetscCall(VecAXPY(g2, -1.0 / 10, work));
  }
  PetscCall(VecDestroy(&work));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ as a loss */

/* e = d(lambda) */
static inline PetscErrorCode UserWeights(UserProblem *u, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(MatMult(u->B, lambda, u->e));
  PetscCall(UserApply(u->e, UserHalfExp));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscScalar sum = 0, square = 0;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(MatMult(u->A[0], w, u->r[0]));
  PetscCall(VecAXPY(u->r[0], -1, u->b[0]));
  if (l) {
    Vec values;
    PetscCall(VecDuplicate(u->r[0], &values));
    PetscCall(VecCopy(u->r[0], values));
    PetscCall(UserApply(values, UserLogCosh));
    PetscCall(VecSum(values, &sum));
    PetscCall(VecDestroy(&values));
  }
  PetscCall(UserApply(u->r[0], tanh));
  PetscCall(MatMultTranspose(u->A[0], u->r[0], g));
  PetscCall(VecPointwiseMult(u->a, u->e, w));
  PetscCall(VecAXPBY(g, 1, 1 / (PetscReal)u->n[0], u->a));
  if (l) {
    PetscCall(VecDot(u->a, w, &square));
    *l = sum / (PetscReal)u->n[0] + square / 2;
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserHessian(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  Vec Av;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(MatMult(u->A[0], w, u->r[0]));
  PetscCall(VecAXPY(u->r[0], -1, u->b[0]));
  PetscCall(UserApply(u->r[0], UserSech2));
  PetscCall(VecDuplicate(u->r[0], &Av));
  PetscCall(MatMult(u->A[0], v, Av));
  PetscCall(VecPointwiseMult(u->r[0], u->r[0], Av));
  PetscCall(VecDestroy(&Av));
  PetscCall(MatMultTranspose(u->A[0], u->r[0], y));
  PetscCall(VecPointwiseMult(u->a, u->e, v));
  PetscCall(VecAXPBY(y, 1, 1 / (PetscReal)u->n[0], u->a));
  PetscFunctionReturn(0);
}

/* sum_i A_im^2 (1 - tanh^2 r_i) / n + d_m, by a copy of A */
static inline PetscErrorCode UserDiagonal(BLP blp, Vec lambda, Vec w, Vec diagonal, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscInt first, last, n;
  Mat squared;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(MatMult(u->A[0], w, u->r[0]));
  PetscCall(VecAXPY(u->r[0], -1, u->b[0]));
  PetscCall(UserApply(u->r[0], UserSech2));
  PetscCall(MatDuplicate(u->A[0], MAT_COPY_VALUES, &squared));
  PetscCall(MatGetOwnershipRange(squared, &first, &last));
  for (PetscInt i = first; i < last; i++) {
    const PetscInt *column;
    const PetscScalar *entry;
    PetscCall(MatGetRow(u->A[0], i, &n, &column, &entry));
    for (PetscInt j = 0; j < n; j++)
      PetscCall(MatSetValue(squared, i, column[j], entry[j] * entry[j], INSERT_VALUES));
    PetscCall(MatRestoreRow(u->A[0], i, &n, &column, &entry));
  }
  PetscCall(MatAssemblyBegin(squared, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(squared, MAT_FINAL_ASSEMBLY));
  PetscCall(MatMultTranspose(squared, u->r[0], diagonal));
  PetscCall(MatDestroy(&squared));
  PetscCall(VecAXPBY(diagonal, 1, 1 / (PetscReal)u->n[0], u->e));
  PetscFunctionReturn(0);
}

/* w * d * (B v) */
static inline PetscErrorCode UserCross(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(MatMult(u->B, v, y));
  PetscCall(VecPointwiseMult(u->a, u->e, w));
  PetscCall(VecPointwiseMult(y, y, u->a));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserCrossTranspose(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(VecPointwiseMult(u->a, u->e, w));
  PetscCall(VecPointwiseMult(u->a, u->a, v));
  PetscCall(MatMultTranspose(u->B, u->a, y));
  PetscFunctionReturn(0);
}

/* the smallest d */
static inline PetscErrorCode UserConvexity(BLP blp, Vec lambda, PetscReal *mu, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(VecMin(u->e, NULL, mu));
  PetscFunctionReturn(0);
}

/* ||A||_F^2 / n and the largest d */
static inline PetscErrorCode UserSmoothness(BLP blp, Vec lambda, PetscReal *L, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscReal norm, d;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserWeights(u, lambda));
  PetscCall(VecMax(u->e, NULL, &d));
  PetscCall(MatNorm(u->A[0], NORM_FROBENIUS, &norm));
  *L = norm * norm / (PetscReal)u->n[0] + d;
  PetscFunctionReturn(0);
}

/* At least ||A||: by Frobenius's norm, or by the largest sums of rows and columns. */
static inline PetscErrorCode UserNorm(Mat A, PetscReal *norm)
{
  PetscReal frobenius, rows, columns;

  PetscFunctionBegin;
  PetscCall(MatNorm(A, NORM_FROBENIUS, &frobenius));
  PetscCall(MatNorm(A, NORM_1, &columns));
  PetscCall(MatNorm(A, NORM_INFINITY, &rows));
  *norm = PetscMin(frobenius, PetscSqrtReal(rows * columns));
  PetscFunctionReturn(0);
}

/* largest norm of a row */
static inline PetscErrorCode UserRowNorm(Mat A, PetscReal *norm)
{
  PetscInt first, last, n;
  const PetscScalar *a;

  PetscFunctionBegin;
  *norm = 0;
  PetscCall(MatGetOwnershipRange(A, &first, &last));
  for (PetscInt i = first; i < last; i++) {
    PetscReal square = 0;
    PetscCall(MatGetRow(A, i, &n, NULL, &a));
    for (PetscInt j = 0; j < n; j++) square += a[j] * a[j];
    PetscCall(MatRestoreRow(A, i, &n, NULL, &a));
    *norm = PetscMax(*norm, PetscSqrtReal(square));
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, norm, 1, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)A)));
  PetscFunctionReturn(0);
}

/* of E, quadratic in w */
static inline PetscErrorCode UserUpperLipschitz(UserProblem *u, BLPUserLipschitz *c)
{
  PetscReal norm = 0;

  PetscFunctionBegin;
  PetscCall(UserNorm(u->A[1], &norm));
  c->eta1 = norm * norm / (PetscReal)u->n[1];
  PetscCall(UserNorm(u->B, &norm));
  c->eta2 = norm / 20;
  PetscFunctionReturn(0);
}

/* |(tanh')'| <= 4 / sqrt(27) */
static inline PetscErrorCode UserLipschitz(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPUserLipschitz *c,
                                           void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscReal norm = 0, row = 0, d, largest;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserUpperLipschitz(u, c));
  PetscCall(UserWeights(u, lambda));
  PetscCall(VecMax(u->e, NULL, &d));
  PetscCall(VecNorm(w, NORM_INFINITY, &largest));
  PetscCall(UserNorm(u->A[0], &norm));
  PetscCall(UserRowNorm(u->A[0], &row));
  c->nu1 = 4 / PetscSqrtReal(27) * norm * norm * row / (PetscReal)u->n[0];
  PetscCall(UserNorm(u->B, &norm));
  c->nu2 = norm * d;
  c->L_Phi = norm * d * (largest + radius);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ as a map */

static inline PetscErrorCode UserArgument(UserProblem *u, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  PetscCall(MatMult(u->B, lambda, u->e));
  PetscCall(MatMultAdd(u->M, w, u->e, y));
  PetscCall(VecAXPY(y, 1, u->c));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserMap(BLP blp, Vec lambda, Vec w, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserArgument((UserProblem *)ctx, lambda, w, y));
  PetscCall(UserApply(y, tanh));
  PetscCall(VecScale(y, 0.4));
  PetscFunctionReturn(0);
}

/* 0.4 tanh' at the point, which the products share */
static inline PetscErrorCode UserMapLinearize(BLP blp, Vec lambda, Vec w, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(UserArgument(u, lambda, w, u->slope));
  PetscCall(UserApply(u->slope, UserSech2));
  PetscCall(VecScale(u->slope, 0.4));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserJVP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  PetscCall(MatMult(u->M, v, y));
  PetscCall(VecPointwiseMult(y, y, u->slope));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserVJP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  PetscCall(VecPointwiseMult(u->a, u->slope, v));
  PetscCall(MatMultTranspose(u->M, u->a, y));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserParameterJVP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  PetscCall(MatMult(u->B, v, y));
  PetscCall(VecPointwiseMult(y, y, u->slope));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserParameterVJP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  PetscCall(VecPointwiseMult(u->a, u->slope, v));
  PetscCall(MatMultTranspose(u->B, u->a, y));
  PetscFunctionReturn(0);
}

/* 0.4 ||M|| */
static inline PetscErrorCode UserContraction(BLP blp, Vec lambda, PetscReal *q, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  PetscCall(UserNorm(((UserProblem *)ctx)->M, q));
  *q *= 0.4;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserMapLipschitz(BLP blp, Vec lambda, Vec w, PetscReal radius,
                                              BLPUserLipschitz *c, void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;
  PetscReal M = 0, B = 0, row = 0;

  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  (void)radius;
  PetscCall(UserUpperLipschitz(u, c));
  PetscCall(UserNorm(u->M, &M));
  PetscCall(UserNorm(u->B, &B));
  PetscCall(UserRowNorm(u->M, &row));
  c->nu1 = 0.4 * 4 / PetscSqrtReal(27) * row * M;
  c->nu2 = 0.4 * 4 / PetscSqrtReal(27) * row * B;
  c->L_Phi = 0.4 * B;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ life cycle */

static inline PetscErrorCode UserProblemDestroy(void *ctx)
{
  UserProblem *u = (UserProblem *)ctx;

  PetscFunctionBegin;
  for (int s = 0; s < 2; s++) {
    PetscCall(MatDestroy(&u->A[s]));
    PetscCall(VecDestroy(&u->b[s]));
    PetscCall(VecDestroy(&u->r[s]));
  }
  PetscCall(MatDestroy(&u->B));
  PetscCall(MatDestroy(&u->M));
  PetscCall(VecDestroy(&u->c));
  PetscCall(VecDestroy(&u->e));
  PetscCall(VecDestroy(&u->a));
  PetscCall(VecDestroy(&u->slope));
  if (u->freed) (*u->freed)++;
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode UserProblemCreate(MPI_Comm comm, PetscInt ntrain, PetscInt nval, PetscInt p,
                                               PetscInt nw, PetscInt64 seed, UserProblem **user)
{
  UserProblem *u;

  PetscFunctionBegin;
  PetscCall(PetscNew(&u));
  u->n[0] = ntrain;
  u->n[1] = nval;
  u->p = p;
  u->nw = nw;
  u->seed = seed;
  for (int s = 0; s < 2; s++) {
    PetscCall(UserMat(comm, seed, s ? USER_A1 : USER_A0, u->n[s], nw, &u->A[s]));
    PetscCall(MatCreateVecs(u->A[s], NULL, &u->b[s]));
    PetscCall(VecDuplicate(u->b[s], &u->r[s]));
    PetscCall(UserVec(seed, s ? USER_b1 : USER_b0, u->b[s]));
  }
  PetscCall(UserMat(comm, seed, USER_B, nw, p, &u->B));
  PetscCall(UserMat(comm, seed, USER_M, nw, nw, &u->M));
  PetscCall(MatCreateVecs(u->B, NULL, &u->c));
  PetscCall(UserVec(seed, USER_c, u->c));
  PetscCall(VecDuplicate(u->c, &u->e));
  PetscCall(VecDuplicate(u->c, &u->a));
  PetscCall(VecDuplicate(u->c, &u->slope));
  *user = u;
  PetscFunctionReturn(0);
}

/* All callbacks of one kind, with the context u, which blp destroys. */
static inline PetscErrorCode UserProblemSet(BLP blp, UserProblem *u, PetscBool map)
{
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(MatCreateVecs(u->B, &lambda, NULL));
  PetscCall(BLPUserSetVecs(blp, lambda, u->c));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPUserSetContext(blp, u, UserProblemDestroy));
  PetscCall(BLPUserSetUpper(blp, UserUpper));
  if (map) {
    PetscCall(BLPUserSetMap(blp, UserMap, UserJVP, UserVJP, UserParameterJVP, UserParameterVJP, PETSC_FALSE));
    PetscCall(BLPUserSetLinearize(blp, NULL, UserMapLinearize));
    PetscCall(BLPUserSetConstantFunctions(blp, NULL, NULL, UserContraction));
    PetscCall(BLPUserSetLipschitz(blp, NULL, UserMapLipschitz));
  } else {
    PetscCall(BLPUserSetLoss(blp, UserGradient, UserHessian, UserCross, UserCrossTranspose));
    PetscCall(BLPUserSetLossDiagonal(blp, UserDiagonal));
    PetscCall(BLPUserSetConstantFunctions(blp, UserConvexity, UserSmoothness, NULL));
    PetscCall(BLPUserSetLipschitz(blp, UserLipschitz, NULL));
  }
  PetscFunctionReturn(0);
}

#endif
