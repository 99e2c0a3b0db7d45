/* Every map over every problem: products against dense references and one another, adjoint identities, Taylor
   expansions, what a step reports and what it does to the state. */
#include "dense.h"

static const DenseMap settings = {NULL, 0.4, 0.3}; /* step and momentum of all maps here */

typedef struct {
  BLP blp;
  FPM fpm;
  DenseMap map;
  Dense *dense;
  Vec lambda, u, gl;
  State x, v, z, y, y2; /* the point, two directions, products */
  PetscInt n, p;        /* sizes of the state and of lambda */
  PetscReal *l, *at, *J, *B;
} Case;

static PetscErrorCode CaseCreate(BLPType problem, FPMType type, const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  k->map = settings;
  k->map.type = type;
  PetscCall(SyntheticProblem(TEST_COMM, problem, s, &k->blp));
  PetscCall(DenseCreate(problem, s, &k->dense));
  PetscCall(FPMCreate(TEST_COMM, &k->fpm));
  PetscCall(FPMSetBLP(k->fpm, k->blp));
  PetscCall(FPMSetType(k->fpm, type));
  PetscCall(FPMSetStep(k->fpm, k->map.step));
  PetscCall(FPMSetMomentum(k->fpm, k->map.momentum));
  PetscCall(FPMSetUp(k->fpm));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->u));
  PetscCall(VecDuplicate(k->lambda, &k->gl));
  State *const states[] = {&k->x, &k->v, &k->z, &k->y, &k->y2};
  for (int i = 0; i < 5; i++) PetscCall(FPMCreateState(k->fpm, states[i]));
  PetscCall(SyntheticLambda(k->blp, s, 10, 1, 0, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->u, 20));
  PetscCall(StateSetRandomNormal(k->x, 30));
  PetscCall(StateSetRandomNormal(k->v, 40));
  PetscCall(StateSetRandomNormal(k->z, 50));
  PetscCall(DenseMapGetSize(k->dense, &k->map, &k->n));
  k->p = k->dense->nlambda;
  PetscCall(PetscMalloc4(k->p, &k->l, k->n, &k->at, k->n * k->n, &k->J, k->n * k->p, &k->B));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(StateGather(k->x, k->at));
  PetscCall(DenseMapDerivatives(k->dense, &k->map, k->l, k->at, k->J, k->B));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  State *const states[] = {&k->x, &k->v, &k->z, &k->y, &k->y2};

  PetscFunctionBegin;
  for (int i = 0; i < 5; i++) PetscCall(StateDestroy(states[i]));
  PetscCall(PetscFree4(k->l, k->at, k->J, k->B));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->u));
  PetscCall(VecDestroy(&k->gl));
  PetscCall(FPMDestroy(&k->fpm));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* ||x - y||, and ||x|| where not NULL. */
static PetscErrorCode Distance(State x, State y, PetscReal *distance, PetscReal *norm)
{
  State d;

  PetscFunctionBegin;
  PetscCall(StateCreate(x->v[0], x->n, &d));
  PetscCall(StateCopy(y, d));
  PetscCall(StateAYPX(d, -1, x));
  PetscCall(StateNorm(d, distance));
  if (norm) PetscCall(StateNorm(x, norm));
  PetscCall(StateDestroy(&d));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ against dense matrices */

/* y against M a or M^T a, M of n rows and m columns. */
static PetscErrorCode CheckProduct(PetscInt n, PetscInt m, const PetscReal M[], PetscBool transpose,
                                   const PetscReal a[], const PetscReal y[], const char what[])
{
  const PetscInt rows = transpose ? m : n, columns = transpose ? n : m;
  PetscReal *expected;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(rows, &expected));
  for (PetscInt i = 0; i < rows; i++)
    for (PetscInt j = 0; j < columns; j++) expected[i] += M[transpose ? j * m + i : i * m + j] * a[j];
  const PetscReal difference = ArrayDifference(rows, y, expected);
  CHECK(difference <= 1e-13, "%s differs by %g", what, difference);
  PetscCall(PetscFree(expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode DenseProducts(Case *k)
{
  PetscReal *v, *u, *y, *g;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(k->n, &v, k->p, &u, k->n, &y, k->p, &g));
  PetscCall(StateGather(k->v, v));
  PetscCall(VecGather(k->u, u));
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  PetscCall(FPMJVP(k->fpm, k->v, k->y));
  PetscCall(StateGather(k->y, y));
  PetscCall(CheckProduct(k->n, k->n, k->J, PETSC_FALSE, v, y, "d1Phi v"));
  PetscCall(FPMVJP(k->fpm, k->v, k->y));
  PetscCall(StateGather(k->y, y));
  PetscCall(CheckProduct(k->n, k->n, k->J, PETSC_TRUE, v, y, "d1Phi^T v"));
  PetscCall(FPMParameterJVP(k->fpm, k->u, k->y));
  PetscCall(StateGather(k->y, y));
  PetscCall(CheckProduct(k->n, k->p, k->B, PETSC_FALSE, u, y, "d2Phi u"));
  PetscCall(VecSet(k->gl, 1)); /* added to, not overwritten */
  PetscCall(FPMParameterVJPAdd(k->fpm, k->v, k->gl));
  PetscCall(VecShift(k->gl, -1));
  PetscCall(VecGather(k->gl, g));
  PetscCall(CheckProduct(k->n, k->p, k->B, PETSC_TRUE, v, g, "d2Phi^T v"));
  PetscCall(PetscFree4(v, u, y, g));
  PetscFunctionReturn(0);
}

/* d1Phi column by column: symmetric exactly where the map says so. */
static PetscErrorCode Symmetry(Case *k)
{
  PetscReal *column, *J, asymmetry = 0;
  PetscBool symmetric;

  PetscFunctionBegin;
  PetscCall(PetscCalloc2(k->n, &column, k->n * k->n, &J));
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  for (PetscInt j = 0; j < k->n; j++) {
    column[j] = 1;
    PetscCall(StateFill(k->z, column));
    column[j] = 0;
    PetscCall(FPMJVP(k->fpm, k->z, k->y));
    PetscCall(StateGather(k->y, J + j * k->n)); /* the transpose of J, row by row */
  }
  for (PetscInt i = 0; i < k->n; i++)
    for (PetscInt j = 0; j < k->n; j++)
      asymmetry = PetscMax(asymmetry, PetscAbsReal(J[i * k->n + j] - J[j * k->n + i]));
  PetscCall(FPMIsSymmetric(k->fpm, &symmetric));
  CHECK(symmetric ? asymmetry <= 1e-14 : asymmetry > 1e-6, "%s says %s, the asymmetry is %g", k->map.type,
        PetscBools[symmetric], asymmetry);
  PetscCall(StateSetRandomNormal(k->z, 50));
  PetscCall(PetscFree2(column, J));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ products against one another */

typedef PetscErrorCode (*Apply)(FPM, State, State);

/* <A v, z> = <v, A^T z> */
static PetscErrorCode AdjointPair(Case *k, Apply A, Apply At, const char what[])
{
  PetscScalar left, right;
  PetscReal a, b;

  PetscFunctionBegin;
  PetscCall((*A)(k->fpm, k->v, k->y));
  PetscCall((*At)(k->fpm, k->z, k->y2));
  PetscCall(StateDot(k->y, k->z, &left));
  PetscCall(StateDot(k->v, k->y2, &right));
  PetscCall(StateNorm(k->y, &a));
  PetscCall(StateNorm(k->z, &b));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * a * b, "%s: %.17g against %.17g", what, left, right);
  PetscFunctionReturn(0);
}

/* (I - A) v against v - A v */
static PetscErrorCode ResidualPair(Case *k, Apply residual, Apply plain, const char what[])
{
  PetscReal distance, norm, norm_v;

  PetscFunctionBegin;
  PetscCall((*residual)(k->fpm, k->v, k->y));
  PetscCall((*plain)(k->fpm, k->v, k->y2));
  PetscCall(StateAYPX(k->y2, -1, k->v));
  PetscCall(Distance(k->y, k->y2, &distance, &norm));
  PetscCall(StateNorm(k->v, &norm_v));
  CHECK(distance <= 1e-14 * (norm + norm_v), "%s differs by %g of %g", what, distance, norm);
  PetscFunctionReturn(0);
}

static PetscErrorCode Products(Case *k)
{
  PetscScalar left, right;
  PetscReal a, b;

  PetscFunctionBegin;
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  PetscCall(AdjointPair(k, FPMJVP, FPMVJP, "d1Phi and its transpose"));
  PetscCall(AdjointPair(k, FPMResidualJVP, FPMResidualVJP, "I - d1Phi and its transpose"));
  PetscCall(ResidualPair(k, FPMResidualJVP, FPMJVP, "(I - d1Phi) v"));
  PetscCall(ResidualPair(k, FPMResidualVJP, FPMVJP, "(I - d1Phi^T) v"));
  PetscCall(FPMParameterJVP(k->fpm, k->u, k->y));
  PetscCall(VecZeroEntries(k->gl));
  PetscCall(FPMParameterVJPAdd(k->fpm, k->z, k->gl));
  PetscCall(StateDot(k->y, k->z, &left));
  PetscCall(VecDot(k->u, k->gl, &right));
  PetscCall(StateNorm(k->y, &a));
  PetscCall(StateNorm(k->z, &b));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * a * b, "d2Phi: %.17g against %.17g", left, right);
  PetscFunctionReturn(0);
}

/* n steps v <- d1Phi^T v + b at once from z, one after the other, and the residual they tell. */
static PetscErrorCode StepsAtOnce(Case *k, State b, PetscInt n)
{
  PetscReal distance, norm, told;
  State v;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(k->fpm, &v));
  PetscCall(StateCopy(k->z, v));
  PetscCall(FPMAdjointSteps(k->fpm, b, n, v, &told));
  PetscCall(StateCopy(k->z, k->y));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(FPMVJP(k->fpm, k->y, k->y2));
    PetscCall(StateCopy(b, k->y));
    PetscCall(StateAYPX(k->y, 1, k->y2));
  }
  PetscCall(Distance(k->y, v, &distance, &norm));
  CHECK(distance <= 1e-13 * norm, "%d steps of the adjoint at once end %g of %g elsewhere", (int)n, distance,
        norm);
  if (told >= 0) {
    PetscReal residual;
    PetscCall(FPMResidualVJP(k->fpm, v, k->y2));
    PetscCall(Distance(b, k->y2, &residual, NULL));
    CHECK(PetscAbsReal(told - residual) <= 1e-13 * (residual + norm), "%d steps: residual %.17g, told %.17g",
          (int)n, residual, told);
  }
  PetscCall(StateDestroy(&v));
  PetscFunctionReturn(0);
}

/* With a right-hand side of any kind, and with the upper level's, which is 0 but for w. */
static PetscErrorCode AdjointSteps(Case *k)
{
  PetscBool can;
  State b;

  PetscFunctionBegin;
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  PetscCall(FPMCanAdjointSteps(k->fpm, &can));
  if (strcmp(k->map.type, FPMPROBLEM) != 0) CHECK(can, "%s has no steps of the adjoint", k->map.type);
  if (!can) PetscFunctionReturn(0);
  PetscCall(FPMCreateState(k->fpm, &b));
  PetscCall(StateCopy(k->v, b));
  for (int upper = 0; upper < 2; upper++) {
    for (PetscInt n = 0; n < 4; n++) PetscCall(StepsAtOnce(k, b, n));
    for (PetscInt i = 1; i < b->n; i++) PetscCall(VecZeroEntries(b->v[i]));
  }
  PetscCall(StateDestroy(&b));
  PetscFunctionReturn(0);
}

/* ||Phi(x + h v, lambda) - Phi(x, lambda) - h d1Phi v|| / ||Phi(x, lambda)||, and the same in lambda. */
static PetscErrorCode Remainders(Case *k, PetscReal h, PetscReal r[2])
{
  State from, to;
  PetscReal norm;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(k->fpm, &from));
  PetscCall(FPMCreateState(k->fpm, &to));
  PetscCall(VecDuplicate(k->lambda, &lambda));
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  PetscCall(FPMJVP(k->fpm, k->v, k->y));
  PetscCall(FPMParameterJVP(k->fpm, k->u, k->y2));
  PetscCall(StateCopy(k->x, from));
  PetscCall(FPMStep(k->fpm, k->lambda, from, NULL));
  for (int in_lambda = 0; in_lambda < 2; in_lambda++) {
    PetscCall(StateCopy(k->x, to));
    PetscCall(VecCopy(k->lambda, lambda));
    if (in_lambda) PetscCall(VecAXPY(lambda, h, k->u));
    for (PetscInt i = 0; i < to->n && !in_lambda; i++) PetscCall(VecAXPY(to->v[i], h, k->v->v[i]));
    PetscCall(FPMStep(k->fpm, lambda, to, NULL));
    for (PetscInt i = 0; i < to->n; i++)
      PetscCall(VecAXPY(to->v[i], -h, in_lambda ? k->y2->v[i] : k->y->v[i]));
    PetscCall(Distance(from, to, &r[in_lambda], &norm));
    r[in_lambda] /= norm;
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(StateDestroy(&from));
  PetscCall(StateDestroy(&to));
  PetscFunctionReturn(0);
}

/* The order, or nothing but rounding: a map linear in either. */
static PetscErrorCode Taylor(Case *k)
{
  PetscReal r[2][2];

  PetscFunctionBegin;
  PetscCall(Remainders(k, 1e-3, r[0]));
  PetscCall(Remainders(k, 5e-4, r[1]));
  for (int m = 0; m < 2; m++) {
    const PetscReal order = TaylorOrder(r[0][m], r[1][m]);
    if (r[0][m] <= 1e-14) continue;
    CHECK(PetscAbsReal(order - 2) <= 0.05, "%s: Taylor remainder in %s of order %g (%g, %g)", k->map.type,
          m ? "lambda" : "x", order, r[0][m], r[1][m]);
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the step */

static PetscErrorCode Step(Case *k)
{
  PetscReal change, distance, norm, *x;
  State moved, quiet;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(k->fpm, &moved));
  PetscCall(FPMCreateState(k->fpm, &quiet));
  PetscCall(StateCopy(k->x, moved));
  PetscCall(StateCopy(k->x, quiet));
  PetscCall(PetscMalloc1(k->n, &x));
  PetscCall(PetscArraycpy(x, k->at, k->n));
  PetscCall(FPMStep(k->fpm, k->lambda, moved, &change));
  PetscCall(Distance(k->x, moved, &distance, &norm));
  CHECK(PetscAbsReal(change - distance) <= 1e-14 * (norm + distance), "change %.17g, ||Phi(x) - x|| %.17g",
        change, distance);
  PetscCall(FPMStep(k->fpm, k->lambda, quiet, NULL));
  PetscCall(Distance(moved, quiet, &distance, &norm));
  CHECK(distance <= 1e-15 * norm, "asked for the change a step ends %g elsewhere", distance);
  for (PetscInt i = 1; i < moved->n; i++) { /* a history: v[i] is w i steps ago */
    PetscBool same;
    PetscCall(VecEqual(moved->v[i], k->x->v[i - 1], &same));
    CHECK(same, "vector %d of the state is not the one before it", (int)i);
    PetscCall(VecEqual(quiet->v[i], k->x->v[i - 1], &same));
    CHECK(same, "vector %d of the state is not the one before it", (int)i);
  }
  PetscCall(DenseMapStep(k->dense, &k->map, k->l, x));
  PetscCall(PetscArraycpy(k->at, x, k->n));
  PetscCall(StateGather(moved, x));
  const PetscReal difference = ArrayDifference(k->n, x, k->at);
  CHECK(difference <= 1e-14, "a step differs by %g", difference);
  PetscCall(StateGather(k->x, k->at));
  PetscCall(PetscFree(x));
  PetscCall(StateDestroy(&moved));
  PetscCall(StateDestroy(&quiet));
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(BLPType problem, FPMType type, const Synthetic *s)
{
  Case k;
  PetscInt nstate;

  PetscFunctionBegin;
  PetscCall(CaseCreate(problem, type, s, &k));
  PetscCall(FPMGetStateSize(k.fpm, &nstate));
  CHECK(nstate == k.x->n && nstate * k.dense->nw == k.n, "a state of %d vectors", (int)nstate);
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMJVP(k.fpm, k.v, k.y)); /* no point yet */
  PetscCall(DenseProducts(&k));
  PetscCall(Symmetry(&k));
  PetscCall(Products(&k));
  PetscCall(AdjointSteps(&k));
  PetscCall(Taylor(&k));
  PetscCall(Step(&k));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A map of the wrong kind is refused, and says what to do. */
static PetscErrorCode Refused(BLPType problem, FPMType type, const Synthetic *s)
{
  BLP blp;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, problem, s, &blp));
  PetscCall(FPMCreate(TEST_COMM, &fpm));
  PetscCall(FPMSetBLP(fpm, blp));
  PetscCall(FPMSetType(fpm, type));
  CHECK_RAISES(PETSC_ERR_SUP, FPMSetUp(fpm));
  PetscCall(FPMDestroy(&fpm));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* All maps over one problem: the problem's own where its lower level is a map, else those made from the loss.
 */
static PetscErrorCode TestMaps(BLPType problem, PetscInt nmaps, const char *const maps[], const Synthetic *s)
{
  PetscInt tested = 0;

  PetscFunctionBegin;
  for (PetscInt m = 0; m < nmaps; m++) {
    const PetscBool own = (PetscBool)!strcmp(maps[m], FPMPROBLEM);
    if (own != s->map) {
      PetscCall(Refused(problem, maps[m], s));
      continue;
    }
    PetscCall(Test(problem, maps[m], s));
    tested++;
  }
  CHECK(tested == (s->map ? 1 : nmaps - 1), "%d maps tested", (int)tested);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode Settings(void)
{
  PetscOptions options;
  FPMType type;
  PetscBool heavyball;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(FPMCreate(TEST_COMM, &fpm));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMSetUp(fpm)); /* no problem */
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, FPMSetType(fpm, "heavybal"));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetStep(fpm, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetStep(fpm, -1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetStep(fpm, (PetscReal)INFINITY));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetStep(fpm, (PetscReal)NAN));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetMomentum(fpm, 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetMomentum(fpm, -0.1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMSetMomentum(fpm, (PetscReal)NAN));
  PetscCall(OptionsUse("-fpm_type gd -a_fpm_type heavyball -a_fpm_step 0.5", &options));
  PetscCall(FPMSetOptionsPrefix(fpm, "a_"));
  PetscCall(FPMSetFromOptions(fpm));
  PetscCall(OptionsDrop(&options));
  PetscCall(FPMGetType(fpm, &type));
  PetscCall(PetscStrcmp(type, FPMHEAVYBALL, &heavyball));
  CHECK(heavyball, "the prefixed option gives %s", type);
  PetscCall(FPMDestroy(&fpm));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {13, 5, 0}, .p = 4, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 2},
      {.n = {3, 2, 0}, .p = 1, .c = 2, .density = 1, .seed = 3},
  };
  const char **problems, **maps;
  PetscInt nproblems, nmaps;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&nproblems, &problems));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  CHECK(nproblems > 0 && nmaps > 1, "%d problems, %d maps", (int)nproblems, (int)nmaps);
  for (PetscInt b = 0; b < nproblems; b++) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      Synthetic s = cases[i];
      if (SyntheticHasKind(problems[b], PETSC_FALSE)) PetscCall(TestMaps(problems[b], nmaps, maps, &s));
      s.map = SyntheticGetType(problems[b]).has_map;
      if (s.map) PetscCall(TestMaps(problems[b], nmaps, maps, &s));
    }
  }
  PetscCall(PetscFree(problems));
  PetscCall(PetscFree(maps));
  PetscCall(Settings());
  PetscCall(TestFinalize());
  return 0;
}
