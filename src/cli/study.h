#ifndef TWOFOLD_CLI_STUDY_H
#define TWOFOLD_CLI_STUDY_H
/* twofold study: what its parts share. */
#include <twofold/theorem.h>
#include "cli.h"

enum { STUDY_MAX_METHODS = 16 };

/* A method: itd, or aid by a KSP with k steps. */
typedef struct {
  char name[64]; /* as it was asked for */
  PetscBool itd;
  char ksp[64];      /* of aid */
  PetscInt k;        /* steps of the adjoint; -1: as many as the lower level's */
  PetscBool bylower; /* the adjoint's map is the lower level's: fp */
} StudyMethod;

/* What was measured for one lambda, method and number of steps: reals alone, so that they travel as one. */
typedef struct {
  double sample, method, t, k;
  double f, norm;                   /* norm of the exact hypergradient; NaN where it was not reached */
  double error, relative;           /* ||g - grad f||; over norm; NaN where there is no g or no norm */
  double theorem, theorem_standing; /* the a priori bound; NaN where it does not apply */
  double bound, bound_standing;     /* HGReport.bound, likewise */
  double estimate;                  /* HGReport.estimate, likewise */
  double L, mu;                     /* by the problem's formulas */
  double rate;                      /* of the lower level's map, by them */
  double reason;                    /* HGConvergedReason of the method, and of the exact hypergradient */
  double exact_reason;
  double iterate_error, adjoint_error; /* parts of aid's error: see study_parts.c; NaN where there are none */
} StudyRow;
enum { STUDY_COLUMNS = sizeof(StudyRow) / sizeof(double) };

typedef struct {
  CliCommon common;
  StudyMethod method[STUDY_MAX_METHODS];
  PetscInt nmethods;
  PetscInt *at, nat;
  PetscInt samples, groups, group;
  PetscInt exact_max_size;
  PetscInt64 seed;
  PetscReal *low, *high; /* the box, one number an entry of lambda; the last stands for all behind it */
  PetscInt nlow, nhigh;
  PetscBool logarithmic, save_lambda, parts;
  MPI_Comm comm; /* of this rank's group */
  Stops stops;
  PetscBool stopped; /* samples are those that were done, which are fewer than asked for */
  PetscInt asked;
  Stopped why;
} Study;

/* study_options.c: reads and checks the command's options; frees what they hold. Collective. Options of
   hypergradients that are refused, since the study sets them itself; NULL behind the last. */
extern const char *const StudyOwnOptions[];
PetscErrorCode StudyFromOptions(Study *study);
PetscErrorCode StudyCheckBox(const Study *study, PetscInt nlambda);
PetscErrorCode StudyFree(Study *study);

/* study_methods.c */
PetscErrorCode StudyMethodsParse(const char text[], StudyMethod method[], PetscInt *n);
/* The hypergradient of a method as the options and its name make it, not yet set up. Collective on blp. */
PetscErrorCode StudyMethodConfigure(const StudyMethod *method, BLP blp, HG *hg);
/* The same ready for HGSolve() at lambda. */
PetscErrorCode StudyMethodCreate(const StudyMethod *method, BLP blp, Vec lambda, HG *hg);
PetscErrorCode StudyMethodSetSteps(const StudyMethod *method, HG hg, PetscInt t, PetscInt *k);
/* What the theorem's bound for a method is made of at one lambda: after the first HGSolve() there. */
typedef struct {
  TwofoldStanding standing;    /* unknown where none applies */
  BoundNumbers lower, adjoint; /* of the two maps */
  PetscBool fixed_point, cg;   /* which rate of the adjoint's solver is known */
  PetscReal kappa;             /* of cg's */
} StudyTheorem;
PetscErrorCode StudyTheoremCollect(const StudyMethod *method, HG hg, Vec lambda, StudyTheorem *theorem);
/* The bound after t and k steps; NaN where none applies. */
PetscErrorCode StudyTheoremBound(const StudyMethod *method, const StudyTheorem *theorem, PetscInt t,
                                 PetscInt k, double *bound);

/* study_parts.c: at each number of steps the hypergradient with the exact adjoint at w_t, and its error. */
typedef struct {
  Vec *g;
  double *error; /* NaN where it is not to be had */
  PetscInt n;
} StudyParts;
PetscErrorCode StudyPartsCreate(const Study *study, Vec lambda, StudyParts *parts);
PetscErrorCode StudyPartsDestroy(StudyParts *parts);
/* All of them at lambda, where `exact` is the exact hypergradient. Collective on blp. */
PetscErrorCode StudyPartsSolve(const Study *study, BLP blp, Vec lambda, Vec exact, StudyParts *parts);

/* study_table.c: rows of all groups on rank 0 of the world, in the order of samples, methods and steps; NULL
   elsewhere. */
PetscErrorCode StudyGather(const Study *study, const StudyRow own[], PetscInt nown, StudyRow **all,
                           PetscInt *n);
/* A column of the rows, or its ratio to the norm of the exact hypergradient. */
typedef struct {
  const char *name;
  size_t at;
  PetscBool relative;
} StudyColumn;
double StudyValue(const StudyRow *row, StudyColumn column);
/* Number, mean, standard deviation and extremes of what is finite at method m and steps study->at[i]. */
typedef struct {
  int n;
  double mean, deviation, least, largest;
} StudyStatistics;
StudyStatistics StudySummarise(const Study *study, const StudyRow row[], PetscInt m, PetscInt i,
                               StudyColumn column);
/* study.csv and means.csv */
PetscErrorCode StudyWrite(const Study *study, RunDir dir, const StudyRow row[], PetscInt n);

/* study_summary.c: the outcome in figures, for people and in summary.json. */
PetscErrorCode StudyPrint(const Study *study, const StudyRow row[], PetscInt n);
PetscErrorCode StudyWriteSummary(const Study *study, RunDir dir, const StudyRow row[], PetscInt n);

#endif
